import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { dirname } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { errorCode } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Credentials, LoadCredentials } from './access.ts';
import { kubeErrors } from './errors.ts';
import type { TlsOptions } from './shared-connection.ts';

/**
 * The current context of a kubeconfig file: tokens, client certificates, exec plugins, proxies. The file is read each
 * time; what a plugin gave is kept until it ends or is refused, or the file changes.
 */
export function kubeconfigCredentials(file: string, log: Log): LoadCredentials {
  let kept: { readonly text: string; readonly config: KubeConfig } | undefined;
  let warned = false;
  return async (anew) => {
    const text = await readText(file);
    if (anew || kept?.text !== text) kept = { text, config: parse(file, text) };
    const credentials = await credentialsOf(file, kept.config);
    if (credentials.tls.rejectUnauthorized === false && !warned) {
      warned = true;
      log.warn(
        { file, server: credentials.server.host },
        'the kubeconfig says insecure-skip-tls-verify: whoever stands between can read and change everything',
      );
    }
    return credentials;
  };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw invalid(file, `the file cannot be read (${errorCode(cause) ?? 'unknown error'})`);
  }
}

/** What the parser says is left out: it shows the lines, and those hold the credentials. */
function parse(file: string, text: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
    // KubeConfig takes plain HTTP only so; to where it may go is judged with all other credentials.
    config.clusters = config.clusters.map((cluster) =>
      cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster,
    );
    config.makePathsAbsolute(dirname(file));
  } catch {
    throw invalid(file, 'it is no kubeconfig');
  }
  return config;
}

async function credentialsOf(file: string, config: KubeConfig): Promise<Credentials> {
  const cluster = config.getCurrentCluster();
  const server = URL.parse(cluster?.server ?? '');
  if (cluster === null || server === null) {
    throw invalid(file, 'its current context names no cluster with the URL of a server');
  }
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    // A plugin that fails may have printed anything.
    throw invalid(file, `its credentials cannot be had (${errorCode(cause) ?? 'a plugin or a file failed'})`);
  }
  return {
    server,
    headers: headersOf(options),
    tls: { ...tlsOf(options), rejectUnauthorized: server.protocol === 'http:' || !cluster.skipTLSVerify },
    ...(cluster.proxyUrl !== undefined && typeof options.agent === 'object' && { agent: options.agent }),
  };
}

function tlsOf({ ca, cert, key, servername }: RequestOptions): TlsOptions {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { servername }),
  };
}

function headersOf({ headers = {}, auth }: RequestOptions): Record<string, string> {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value).trim()]);
  const basic = auth ? [['authorization', `Basic ${Buffer.from(auth).toString('base64')}`]] : [];
  return Object.fromEntries([...basic, ...given]) as Record<string, string>;
}

function invalid(file: string, why: string): Error {
  return kubeErrors.error('kube_config_invalid', `expected credentials in the kubeconfig ${file}: ${why}`);
}
