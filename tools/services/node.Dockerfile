# packages: nodejs
# port: 3000
# client: node -e 'require("http").get("http://" + process.argv[1] + ":3000/", r => r.pipe(process.stdout))' $server | grep -q kept
# host: curl -fsS http://127.0.0.1:$port/ | grep -q kept
FROM packages/node
COPY <<END /srv/server.js
const server = require('http').createServer((request, answer) => answer.end('kept\n'));
server.listen(3000);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
END
USER nobody
EXPOSE 3000
HEALTHCHECK --interval=1s --retries=30 CMD node -e 'require("http").get("http://127.0.0.1:3000/", r => process.exit(r.statusCode === 200 ? 0 : 1))'
CMD ["node", "/srv/server.js"]
