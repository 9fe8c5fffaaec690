/** A destination file with one of everything. */
export const shopFile = `
clusterNetworks: [10.0.0.0/8]
defaultPolicy: all-unauthenticated
nodes:
  node-a: { zone: eu-1a }
  node-b: { zone: eu-1b }
workloads:
  shop/api-0:
    addresses: [10.1.0.5, "fd00::5"]
    serviceAccount: api
    node: node-a
    proxy: { inboundPort: 4143, adminPort: 4191, skipInboundPorts: [9000-9010] }
    labels: { deployment: api }
    policy: all-authenticated
    ports:
      7000:
        authorizations:
          - name: web-and-batch
            serviceAccounts: [shop/web, batch/*]
            networks: [10.1.0.0/16, { cidr: 10.2.0.0/16, except: [10.2.9.0/24] }]
          - name: health
            unauthenticated: true
      5432: { protocol: opaque, policy: cluster-authenticated }
      8080: { protocol: http1 }
  shop/web-0:
    addresses: [10.1.0.6]
    zone: eu-1b
    proxy: {}
  shop/legacy-0:
    addresses: [10.1.0.7]
    ports:
      80: { policy: deny }
services:
  shop/api:
    clusterIPs: [10.96.0.10]
    ports:
      7000:
        endpoints:
          - workload: shop/api-0
          - { workload: shop/web-0, port: 7001, weight: 500 }
          - workload: shop/legacy-0
          - { address: 10.2.0.9, serviceAccount: db/main, inboundPort: 4143, zone: eu-1a, hostname: far }
      9001:
        endpoints: [{ workload: shop/api-0 }]
  shop/db:
    ports:
      5432:
        opaque: true
        endpoints: [{ workload: shop/api-0 }]
      8080:
        endpoints: [{ workload: shop/api-0 }]
      4191:
        endpoints: [{ workload: shop/api-0 }]
  shop/empty:
    ports: { 80: {} }
`;
