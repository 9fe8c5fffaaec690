import { runProcess } from '../runtime/lifecycle.ts';
import { startProxy } from './proxy.ts';
import { readProxySettings } from './settings/read-proxy-settings.ts';
import { localIdentity } from './settings/checks.ts';

await runProcess('proxy', async (context) => {
  const settings = readProxySettings(context.env);
  context.log.setLevel(settings.logLevel);
  context.setGracePeriod(settings.shutdownGraceMs);
  const addresses = await startProxy(settings, context);
  context.log.info({ ...addresses, identity: localIdentity(settings).dnsName }, 'listening');
});
