# One image for every process of Kedge; the first argument says which: identity, destination, proxy or kedge.
# The bundles come first: npm ci && npm run build && docker build -t kedge .
# BASE is any image with glibc and Node 26 as `node` on its path.
ARG BASE=docker.io/library/node:26-bookworm-slim
FROM ${BASE}

COPY LICENSE dist/ /kedge/

# Nobody's: numeric, so that runAsNonRoot can be checked. The redirect of a pod lets this user's own connections out.
USER 2102:2102
ENTRYPOINT ["/bin/sh", "-c", "exec node \"/kedge/$0.mjs\" \"$@\""]
CMD ["kedge", "--help"]
