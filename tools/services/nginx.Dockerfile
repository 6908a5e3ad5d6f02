# packages: nginx-light curl
# port: 80
# client: curl -fsS http://$server/ | grep -qi '<html'
# host: curl -fsS http://127.0.0.1:$port/ | grep -qi '<html'
FROM packages/nginx
RUN sed -i 's,^\s*access_log .*,access_log /dev/stdout;,; s,^\s*error_log .*,error_log /dev/stderr;,' /etc/nginx/nginx.conf
EXPOSE 80
HEALTHCHECK --interval=1s --retries=30 CMD curl -fsS http://127.0.0.1/
CMD ["nginx", "-g", "daemon off; master_process on;"]
