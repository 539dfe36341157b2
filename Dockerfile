FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
WORKDIR /app
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
