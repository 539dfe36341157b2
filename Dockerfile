FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
WORKDIR /app
# What builds need: contexts come from Git, and are built with buildx.
RUN apt-get update && apt-get install -y --no-install-recommends git openssh-client && rm -rf /var/lib/apt/lists/*
COPY --from=docker/buildx-bin:0.29.0 /buildx /usr/local/bin/docker-buildx
# What was compiled once is not compiled at the next start.
ENV NODE_ENV=production NODE_COMPILE_CACHE=/tmp/shipmate-compiled
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
COPY handlers ./handlers
COPY jobs ./jobs
USER node
EXPOSE 3015
CMD ["node", "src/main.ts"]
