# packages: tomcat10 curl
# port: 8080
# client: curl -fsS http://$server:8080/ | grep -qi 'it works'
# host: curl -fsS http://127.0.0.1:$port/ | grep -qi 'it works'
FROM packages/tomcat
USER tomcat
ENV CATALINA_HOME=/usr/share/tomcat10 CATALINA_BASE=/var/lib/tomcat10 CATALINA_TMPDIR=/tmp JAVA_OPTS=-Djava.awt.headless=true
EXPOSE 8080
HEALTHCHECK --interval=1s --retries=60 CMD curl -fsS http://127.0.0.1:8080/
CMD ["/usr/libexec/tomcat10/tomcat-start.sh"]
