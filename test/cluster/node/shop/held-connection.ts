// Opens one connection, asks over it ten times a second, and prints what became of it once it has ended.
// Usage: held-connection PORT
import net from 'node:net';

/** What became of the connection. */
export interface HeldConnection {
  readonly answered: number;
  readonly open: boolean;
}

const givenUpAfterMs = 60_000;

let answered = 0;
const socket = net.connect(Number(process.argv[2]), '127.0.0.1');
socket.setEncoding('utf8').on('data', (text: string) => (answered += text.split('HTTP/1.1 200').length - 1));
socket.on('error', () => undefined);
socket.once('close', () => tell(false));
const asking = setInterval(() => socket.write('GET / HTTP/1.1\r\nhost: api\r\n\r\n'), 100);
const givingUp = setTimeout(() => tell(true), givenUpAfterMs);

function tell(open: boolean): void {
  clearInterval(asking);
  clearTimeout(givingUp);
  const held: HeldConnection = { answered, open };
  process.stdout.write(`${JSON.stringify(held)}\n`, () => process.exit());
}
