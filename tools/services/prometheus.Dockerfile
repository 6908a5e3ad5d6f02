# packages: prometheus curl
# port: 9090
# client: curl -fsS "http://$server:9090/api/v1/query?query=vector(42)" | grep -q '"42"'
# host: curl -fsS http://127.0.0.1:$port/-/ready
FROM packages/prometheus
USER prometheus
EXPOSE 9090
VOLUME /var/lib/prometheus
HEALTHCHECK --interval=1s --retries=30 CMD curl -fsS http://127.0.0.1:9090/-/ready
CMD ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/var/lib/prometheus/metrics2"]
