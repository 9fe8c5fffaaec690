// An application in a pod: answers every request with what its back end says. It knows nothing of Kedge but the port of its
// own pod where its back end is to be found.
import http from 'node:http';

const backEnd = { host: '127.0.0.1', port: 8001, agent: false };

const server = http.createServer((_, response) => {
  const call = http.get(backEnd, (answer) => {
    response.writeHead(answer.statusCode ?? 502);
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  });
  call.on('error', (error) => {
    response.writeHead(502);
    response.end(`back end: ${error.message}\n`);
  });
});
server.listen(8080);
process.once('SIGTERM', () => server.close());
