package dev.caisson.audit;

import java.util.ArrayList;
import java.util.List;

/// A bad and a good file for each rule.
final class RuleCases {
    /// @param fileName tells the kind of file
    record Case(String check, String fileName, String bad, String good) {
        @Override
        public String toString() {
            return check + " " + fileName;
        }
    }

    static final List<Case> ALL = new ArrayList<>();

    private RuleCases() {}

    private static void service(String check, String bad, String good) {
        ALL.add(new Case(
                check, "compose.yaml", "services:\n  web:\n" + bad.indent(4), "services:\n  web:\n" + good.indent(4)));
    }

    private static void container(String check, String bad, String good) {
        String pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: c\n";
        ALL.add(new Case(check, "pod.yaml", pod + bad.indent(4), pod + good.indent(4)));
    }

    private static void pod(String check, String bad, String good) {
        String head = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: c}]\n";
        ALL.add(new Case(check, "pod.yaml", head + bad.indent(2), head + good.indent(2)));
    }

    private static void object(String check, String bad, String good) {
        ALL.add(new Case(check, "object.yaml", "apiVersion: v1\n" + bad, "apiVersion: v1\n" + good));
    }

    private static void build(String check, String bad, String good) {
        ALL.add(new Case(check, "Dockerfile", bad + "\n", good + "\n"));
    }

    static {
        service("memory-unlimited", "image: a", "mem_limit: 1g");
        service("memory-unlimited", "mem_limit: 0", "deploy: {resources: {limits: {memory: 1g}}}");
        container("memory-unlimited", "image: a", "resources: {limits: {memory: 1Gi}}");
        service("cpu-unlimited", "cpu_shares: 1024", "cpu_quota: 50000");
        container("cpu-unlimited", "resources: {requests: {cpu: 1}}", "resources: {limits: {cpu: 500m}}");
        service("pids-unlimited", "pids_limit: -1", "pids_limit: 100");
        service("log-unbounded", "logging: {driver: json-file}", "logging: {options: {max-size: 10m}}");
        service("runs-as-root", "user: '0:0'", "user: '1000'");
        container("runs-as-root", "securityContext: {runAsUser: 0}", "securityContext: {runAsNonRoot: true}");
        service("privileged", "privileged: true", "privileged: false");
        container("privileged", "securityContext: {privileged: true}", "image: a");
        service("host-network", "network_mode: host", "image: a");
        service("host-network", "networks: [host]", "networks: [x]");
        pod("host-network", "hostNetwork: true", "hostNetwork: false");
        service("host-pid", "pid: host", "image: a");
        pod("host-pid", "hostPID: true", "hostPID: false");
        service("host-ipc", "ipc: host", "ipc: private");
        service("host-uts", "uts: host", "image: a");
        service("host-userns", "userns_mode: host", "image: a");
        service("host-cgroup", "cgroup: host", "cgroup: private");
        service("shared-namespace", "network_mode: 'container:x'", "image: a");
        service("device-access", "devices: ['/dev/sda:/dev/sda']", "devices: ['/dev/fuse:/dev/fuse']");
        service("device-access", "device_cgroup_rules: ['a *:* rwm']", "image: a");
        service("capability-added", "cap_add: [CAP_SYS_ADMIN]", "cap_add: [NET_BIND_SERVICE]");
        container("capability-added", "securityContext: {capabilities: {add: [NET_ADMIN]}}", "image: a");
        service("capabilities-kept", "cap_drop: [NET_RAW]", "cap_drop: [all]");
        service(
                "privileges-gained",
                "security_opt: ['no-new-privileges:false']",
                "security_opt: ['no-new-privileges']");
        container("privileges-gained", "image: a", "securityContext: {allowPrivilegeEscalation: false}");
        service("seccomp-off", "security_opt: ['seccomp=unconfined']", "image: a");
        container("seccomp-off", "image: a", "securityContext: {seccompProfile: {type: RuntimeDefault}}");
        service("lsm-off", "security_opt: ['apparmor:unconfined']", "image: a");
        service("root-writable", "read_only: false", "read_only: true");
        service("engine-socket", "volumes: ['/var/run:/hostrun']", "volumes: ['/srv/run:/x']");
        service("engine-socket", "volumes: ['/run/containerd:/c:ro']", "volumes: ['docker.sock:/x']");
        service("engine-socket", "volumes: ['/run/user/1000:/u']", "volumes: ['/run/user/1000/app.sock:/u']");
        service("host-path", "volumes: ['/etc/shadow:/x:ro']", "volumes: ['data:/usr']");
        service("mount-shared", "volumes: ['/srv:/x:rshared']", "volumes: ['/srv:/x:rslave']");
        service("port-on-all-interfaces", "ports: ['[::]:8022:22']", "ports: ['127.0.0.1:80:80']");
        service("port-on-all-interfaces", "ports: [{target: 80, published: 80}]", "ports: ['[::1]:80:80']");
        service("image-not-pinned", "image: a:1", "image: a@sha256:" + "a".repeat(64));
        service("image-latest", "image: registry:5000/img", "image: registry:5000/img:1");
        service(
                "secret-in-environment",
                "environment: [DB_PASSWORD=hunter22]",
                "environment: [DB_PASSWORD_FILE=/run/secrets/x]");
        service("secret-in-arguments", "command: --requirepass --password=hunter22", "command: --password=$$X");
        service("no-healthcheck", "healthcheck: {disable: true}", "healthcheck: {test: curl -f x}");
        service("restart-always", "restart: always", "restart: 'on-failure:5'");
        service("sysctl-unsafe", "sysctls: {kernel.msgmax: 1}", "sysctls: [net.core.somaxconn=1024]");
        service("oom-kill-off", "oom_kill_disable: true", "image: a");
        service("admin-port", "ports: ['127.0.0.1:2222:22']", "ports: ['80']");
        service("env-file-secret", "env_file: secret.env", "image: a");
        service("tmpfs-unsized", "tmpfs: /run", "tmpfs: '/run:size=1m'");
        service("default-bridge", "network_mode: bridge", "image: a");
        service("build-privileged", "build: {context: ., privileged: true}", "build: .");
        service("build-arg-secret", "build: {context: ., args: [NPM_TOKEN]}", "build: {context: ., args: [VERSION=1]}");
        service("masked-paths-open", "security_opt: ['systempaths=unconfined']", "image: a");
        service("variable-unset", "image: 'a:${TAG}'", "image: 'a:${TAG:-1}'");
        service("source-tree-writable", "volumes: ['.:/app']", "volumes: ['.:/app:ro']");
        pod("service-account-token", "", "automountServiceAccountToken: false");
        container("host-process", "securityContext: {windowsOptions: {hostProcess: true}}", "image: a");
        object("secret-in-manifest", "kind: Secret\ndata: {a: Zm9v}\n", "kind: Secret\ndata: {}\n");
        object(
                "service-exposed",
                "kind: Service\nspec: {type: NodePort}\n",
                "kind: Service\nspec: {type: ClusterIP}\n");
        container("storage-unlimited", "image: a", "resources: {limits: {ephemeral-storage: 1Gi}}");
        pod("volume-not-restricted", "volumes: [{name: x, nfs: {server: y}}]", "volumes: [{name: x, emptyDir: {}}]");

        build("image-user-root", "FROM a AS b\nUSER app\nFROM debian", "FROM a\nUSER root\nUSER 1000");
        build("image-user-root", "FROM a\nUSER 0:0", "FROM a AS b\nUSER app\nFROM b");
        build("base-not-pinned", "FROM a:1", "FROM a@sha256:" + "a".repeat(64));
        build("base-latest", "FROM registry:5000/img", "FROM registry:5000/img:1");
        build("secret-in-env", "FROM a\nENV API_TOKEN=abcdefgh", "FROM a\nENV API_TOKEN_FILE=/x TOKEN_TTL=5");
        build("secret-in-arg", "FROM a\nARG NPM_TOKEN", "FROM a\nARG VERSION=1");
        build("secret-in-label", "FROM a\nLABEL db.password=hunter22", "FROM a\nLABEL version=1");
        build("secret-in-command", "FROM a\nRUN curl -u me:hunter22 https://x", "FROM a\nRUN curl -u me:$P https://x");
        build("secret-copied", "FROM a\nCOPY conf/id_rsa /x/", "FROM a\nCOPY .env.example id_rsa.pub /x/");
        build("remote-add", "FROM a\nADD https://x/y /y", "FROM a\nADD --checksum=sha256:ab https://x/y /y");
        build("add-for-copy", "FROM a\nADD x /y", "FROM a\nADD x.tar.gz /y\nENV ADDRESS=x");
        build("pipe-to-shell", "FROM a\nRUN curl -s https://x | sudo bash -s", "FROM a\nRUN curl https://x | tar xz");
        build("pipe-to-shell", "FROM a\nRUN bash -c \"$(curl https://x)\"", "FROM a\nRUN cat x | sh");
        build("world-writable", "FROM a\nRUN chmod -R 777 /x", "FROM a\nRUN chmod 1777 /tmp && chmod 755 /x");
        build("setuid-added", "FROM a\nRUN chmod u+s /x", "FROM a\nRUN chmod a-s /x");
        build(
                "package-check-off",
                "FROM a\nRUN apt-get install -y --allow-unauthenticated x",
                "FROM a\nRUN apt-get install -y x");
        build("tls-check-off", "FROM a\nRUN curl -fsSLk https://x", "FROM a\nRUN curl -fsSL https://x");
        build("image-no-healthcheck", "FROM a AS b\nHEALTHCHECK CMD x\nFROM c", "FROM a\nHEALTHCHECK CMD x");
        build("image-no-healthcheck", "FROM a\nHEALTHCHECK NONE", "FROM a\nHEALTHCHECK CMD x");
        build(
                "healthcheck-tool-missing",
                "FROM alpine:3\nHEALTHCHECK CMD curl -f x",
                "FROM alpine:3\nRUN apk add curl\nHEALTHCHECK CMD curl -f x");
        build("context-copied-whole", "FROM a\nCOPY . /app", "FROM a\nCOPY src /app");
        build("admin-port-exposed", "FROM a\nEXPOSE 22", "FROM a\nEXPOSE 80/tcp");
        build("run-insecure", "FROM a\nRUN --security=insecure x", "FROM a\nRUN --security=sandbox x");
        build("run-host-network", "FROM a\nRUN --network=host x", "FROM a\nRUN --network=none x");
        build("update-alone", "FROM a\nRUN apt-get update", "FROM a\nRUN apt-get update && apt-get install -y x");
        build("sudo-used", "FROM a\nRUN sudo make", "FROM a\nRUN make");
        build("base-unknown", "ARG B\nFROM $B", "ARG B=a:1\nFROM $B");
        build("plain-http", "FROM a\nRUN wget http://x/y", "FROM a\nRUN wget http://x/y && sha256sum -c y.sum");
        build(
                "ssh-server",
                "FROM a\nRUN apt-get install -y openssh-server",
                "FROM a\nRUN apt-get install -y openssh-client");
        build("password-set", "FROM a\nRUN echo root:x | chpasswd", "FROM a\nRUN useradd x");
        build("frontend-unknown", "# syntax=evil/frontend\nFROM a", "# syntax=docker/dockerfile:1\nFROM a");

        build("file-not-understood", "FROM a\nNONSENSE x", "FROM a");
        build(
                "waiver-expired",
                "# caisson: allow base-latest r until 2026-11-24\nFROM a",
                "# caisson: allow base-latest r until 2026-11-25\nFROM a");
        build(
                "waiver-invalid",
                "# caisson: allow base-latest until 2027-01-01\nFROM a",
                "# caisson: allow base-latest r until 2027-01-01\nFROM a");
        build(
                "waiver-unused",
                "# caisson: allow base-latest r until 2027-01-01\nFROM a:1",
                "# caisson: allow base-latest r until 2027-01-01\nFROM a");
        ALL.add(new Case(
                "reference-not-followed",
                "compose.yaml",
                "include: ['oci://example.org/x']\nservices: {web: {image: a}}\n",
                "services: {web: {image: a}}\n"));
    }
}
