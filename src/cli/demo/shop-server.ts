// The demo's server: a plain HTTP service that knows nothing of certificates, proxies or Kedge.
// Usage: shop-server PORT
import http from 'node:http';

const port = Number(process.argv[2]);

http
  .createServer((request, response) => {
    if (request.url === '/echo') {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.flushHeaders();
      request.pipe(response);
      return;
    }
    response.end('order 42 is on its way\n');
  })
  .listen(port, '127.0.0.1');
