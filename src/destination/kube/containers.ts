/** As much of a container's spec as is read here. */
export interface ContainerSource {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly hostPort?: number;
    readonly hostIP?: string;
    readonly protocol?: string;
  }[];
  readonly livenessProbe?: ProbeSource;
  readonly readinessProbe?: ProbeSource;
  readonly startupProbe?: ProbeSource;
}

interface ProbeSource {
  readonly httpGet?: { readonly port: number | string };
  readonly tcpSocket?: { readonly port: number | string };
  readonly grpc?: { readonly port: number };
}

/** A TCP port that a container declares. */
export interface PodPort {
  readonly name: string | undefined;
  readonly port: number;
  readonly hostPort: number | undefined;
  /** The one address of the node that `hostPort` is bound to; all of them when not set. */
  readonly hostIP: string | undefined;
}

/** Where the proxy listens in its pod; `undefined` where its container says so in a way that cannot be read here. */
export interface ProxyPorts {
  readonly inbound: number | undefined;
  readonly admin: number | undefined;
}

const PROXY_CONTAINER = 'linkerd-proxy';
/** What the proxies take where their environment says nothing. */
const PROXY_DEFAULTS = { inbound: 4143, admin: 4191 } as const;
const ANY_ADDRESS = new Set(['0.0.0.0', '::', '']);

export function podPorts(containers: readonly ContainerSource[]): PodPort[] {
  return containers.flatMap(({ ports = [] }) =>
    ports
      .filter(({ protocol }) => isTcp(protocol))
      .map(({ name, containerPort, hostPort, hostIP = '' }) => ({
        name,
        port: containerPort,
        hostPort,
        hostIP: ANY_ADDRESS.has(hostIP) ? undefined : hostIP,
      })),
  );
}

/** No protocol at all is TCP, everywhere in the API. */
export function isTcp(protocol: string | undefined): boolean {
  return protocol === undefined || protocol === 'TCP';
}

/** The numbers that the containers' probes name; a name among them is one of the same container. */
export function probePorts(containers: readonly ContainerSource[]): number[] {
  const found = containers.flatMap((container) =>
    [container.livenessProbe, container.readinessProbe, container.startupProbe].map((probe) => {
      const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port ?? probe?.grpc?.port;
      return typeof port === 'string' ? portNamed(container, port) : port;
    }),
  );
  return [...new Set(found)].filter((port) => port !== undefined).sort((a, b) => a - b);
}

/** A probe may also give the number as text. */
function portNamed({ ports = [] }: ContainerSource, name: string): number | undefined {
  if (/^\d{1,5}$/.test(name)) return Number(name);
  return ports.find((port) => port.name === name)?.containerPort;
}

/** Read from the environment of the container that the contract names (4.5), init or normal. */
export function proxyPorts(containers: readonly ContainerSource[]): ProxyPorts | undefined {
  const proxy = containers.find(({ name }) => name === PROXY_CONTAINER);
  if (proxy === undefined) return undefined;
  const listening = (variable: string, otherwise: number) => {
    const set = proxy.env?.find(({ name }) => name === variable);
    if (set === undefined) return otherwise;
    const port = Number(/:(\d{1,5})$/.exec(set.value ?? '')?.[1]);
    return port >= 1 && port <= 65535 ? port : undefined;
  };
  return {
    inbound: listening('LINKERD2_PROXY_INBOUND_LISTEN_ADDR', PROXY_DEFAULTS.inbound),
    admin: listening('LINKERD2_PROXY_ADMIN_LISTEN_ADDR', PROXY_DEFAULTS.admin),
  };
}
