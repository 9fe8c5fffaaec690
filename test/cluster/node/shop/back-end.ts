// An application in a pod: answers every request with its pod's name. It knows nothing of Kedge.
import http from 'node:http';
import { hostname } from 'node:os';

const server = http.createServer((_, response) => {
  response.end(`${hostname()}\n`);
});
server.listen(8080);
process.once('SIGTERM', () => server.close());
