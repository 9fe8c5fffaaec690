import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerWritableStream, ServiceDefinition } from '@grpc/grpc-js';
import { changes, wholeSet } from '../../src/destination/translate-updates.ts';
import {
  DestinationDefinition,
  GetDestination,
  Update,
} from '../../src/rpc/gen/io/linkerd/proxy/destination/destination.ts';
import { endpointsOfWeight, firstWeight } from './endpoints.ts';
import { obey } from './messages.ts';
import type { Material, ServerAnswer, ServerOrder } from './messages.ts';
import { usage } from './usage.ts';

/**
 * A program: the same method the way grpc-js is used as a rule. It terminates TLS by itself, and a change is one
 * `write` of the message for each call, which grpc-js turns into bytes with the generated code each time.
 */
const view = { setLabels: { service: 'api', namespace: 'shop' }, clientZone: undefined };
const calls = new Set<ServerWritableStream<GetDestination, Update>>();
let present = endpointsOfWeight(firstWeight);

const definition: ServiceDefinition = {
  get: {
    path: `/${DestinationDefinition.fullName}/${DestinationDefinition.methods.get.name}`,
    requestStream: false,
    responseStream: true,
    requestSerialize: (request: GetDestination) => Buffer.from(GetDestination.encode(request).finish()),
    requestDeserialize: (bytes: Buffer) => GetDestination.decode(bytes),
    responseSerialize: (update: Update) => Buffer.from(Update.encode(update).finish()),
    responseDeserialize: (bytes: Buffer) => Update.decode(bytes),
  },
};

function start({ chain, key, anchors }: Material): Promise<number> {
  const server = new Server();
  server.addService(definition, {
    get: (call: ServerWritableStream<GetDestination, Update>) => {
      calls.add(call);
      call.on('cancelled', () => calls.delete(call));
      for (const update of wholeSet(present, view)) call.write(update);
    },
  });
  const pair = { cert_chain: Buffer.from(chain), private_key: Buffer.from(key) };
  const credentials = ServerCredentials.createSsl(Buffer.from(anchors), [pair], true);
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

function change(weight: number): void {
  const next = endpointsOfWeight(weight);
  for (const update of changes(present, next, view)) for (const call of calls) call.write(update);
  present = next;
}

obey(async (given, arrivedAtMs): Promise<ServerAnswer> => {
  const order = given as ServerOrder;
  switch (order.kind) {
    case 'serve':
      return { kind: 'serving', port: await start(order.material) };
    case 'change':
      change(order.weight);
      return { kind: 'changed', atMs: arrivedAtMs };
    case 'usage':
      return usage();
  }
});
