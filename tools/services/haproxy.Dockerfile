# packages: haproxy curl
# port: 80
# client: curl -fsS http://$server/ | grep -q kept
# host: curl -fsS http://127.0.0.1:$port/ | grep -q kept
FROM packages/haproxy
RUN printf '%s\n' 'frontend all' '  bind :80' '  http-request return status 200 content-type text/plain string kept' >>/etc/haproxy/haproxy.cfg && \
    sed -i '/^\s*log\s/d; s,^\s*stats socket.*,stats socket /run/haproxy/admin.sock mode 660,' /etc/haproxy/haproxy.cfg
EXPOSE 80
STOPSIGNAL SIGUSR1
HEALTHCHECK --interval=1s --retries=30 CMD curl -fsS http://127.0.0.1/
CMD ["sh", "-c", "mkdir -p /run/haproxy && exec haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid"]
