// Ends a test's cluster when the test's process is gone, however it went: its standard input ends then.
import { StateDirectory } from './state-directory.ts';
import { stopCluster } from './stop-cluster.ts';

// A terminal's Ctrl-C is for the tests, which end in order.
process.on('SIGINT', () => undefined);
process.stdin.resume();
process.stdin.once('end', () => void stopCluster(StateDirectory.at(process.argv[2] ?? '')));
