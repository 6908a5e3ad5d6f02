# packages: rabbitmq-server python3-pika
# port: 5672
# client: python3 -c 'import pika, sys; c = pika.BlockingConnection(pika.ConnectionParameters(sys.argv[1], credentials=pika.PlainCredentials("app", "kept"))); h = c.channel(); h.queue_declare("q"); h.basic_publish("", "q", b"kept"); print(h.basic_get("q", auto_ack=True)[2].decode())' $server | grep -q kept
# host: (exec 3<>/dev/tcp/127.0.0.1/$port && printf 'AMQP\0\0\011\001' >&3 && head -c 1 <&3 | od -An -tx1 | grep -q 01)
FROM packages/rabbitmq
RUN printf 'default_user = app\ndefault_pass = kept\nlog.console = true\n' >/etc/rabbitmq/rabbitmq.conf
USER rabbitmq
ENV HOME=/var/lib/rabbitmq
EXPOSE 5672
VOLUME /var/lib/rabbitmq
HEALTHCHECK --interval=2s --timeout=20s --retries=30 CMD rabbitmq-diagnostics -q check_port_connectivity
CMD ["/usr/lib/rabbitmq/bin/rabbitmq-server"]
