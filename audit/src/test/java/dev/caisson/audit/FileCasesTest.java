package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Lines as people write them: each with the check that it fails, or that it must not fail.
class FileCasesTest {
    /// @param fails whether the check reports the file
    record Case(String check, boolean fails, String fileName, String text) {
        @Override
        public String toString() {
            return check
                    + (fails ? " reports " : " accepts ")
                    + text.lines().reduce((a, b) -> b).orElse("");
        }
    }

    @TempDir
    Path root = Path.of("");

    private static Stream<Case> build(String check, boolean fails, String... lines) {
        return Stream.of(lines).map(line -> new Case(check, fails, "Dockerfile", "FROM debian:13\n" + line + "\n"));
    }

    private static Stream<Case> service(String check, boolean fails, String... lines) {
        return Stream.of(lines)
                .map(line ->
                        new Case(check, fails, "compose.yaml", "services:\n  web:\n    image: a:1\n" + line.indent(4)));
    }

    private static Stream<Case> manifest(String check, boolean fails, String... texts) {
        return Stream.of(texts).map(text -> new Case(check, fails, "pod.yaml", text));
    }

    private static String pod(String spec) {
        return "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {" + spec
                + ", containers: [{name: c, image: a}]}\n";
    }

    /// One with a file of two lines or more.
    private static String configMap(String last) {
        return """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: c}
                data:
                  app.conf: |
                    listen = 80
                    %s
                """.formatted(last);
    }

    static Stream<Case> cases() {
        return Stream.of(
                        build(
                                "secret-in-command",
                                true,
                                "RUN redis-server --requirepass hunter2real",
                                "RUN redis-server --masterauth hunter2real",
                                "CMD [\"redis-server\", \"--requirepass\", \"hunter2real\"]",
                                "ENTRYPOINT [\"app\",\"--password\",\"hunter2real\"]",
                                "CMD app --api-key=hunter2real",
                                "RUN PGPASSWORD=hunter2real psql -h db",
                                "RUN env MYSQL_PWD=hunter2real mysql",
                                "RUN mysql -uroot -phunter2real -e 'select 1'",
                                "RUN mariadb-dump -phunter2real all",
                                "RUN redis-cli -a hunter2real ping",
                                "RUN sshpass -p hunter2real ssh host",
                                "RUN curl -u bob:hunter2real https://x.org",
                                "RUN docker login -u bob -p hunter2real",
                                "RUN openssl rsa -passin pass:hunter2real -in k",
                                "RUN app 'bob:hunter2real@tcp(db:3306)/shop'",
                                "RUN app \"Server=db;User Id=sa;Password=hunter2real;\"",
                                "RUN app \"host=db user=bob password=hunter2real\"",
                                "RUN app postgres://bob:hunter2real@db/shop",
                                "ONBUILD RUN PGPASSWORD=hunter2real psql",
                                "RUN su -c 'app --password hunter2real' bob"),
                        build(
                                "secret-in-command",
                                false,
                                "RUN redis-server --requirepass $PASS",
                                "RUN mysql -p -e 'select 1'",
                                "RUN mysql --protocol=tcp -P 3306",
                                "RUN mkdir -p /srv/app",
                                "RUN cp -p a b && docker run -p 80:80 x",
                                "RUN PGPASSWORD=\"$(cat /run/secrets/pg)\" psql",
                                "RUN --mount=type=secret,id=t TOKEN=$(cat /run/secrets/t) npm ci",
                                "RUN app --password-file /run/secrets/p",
                                "RUN app --token-ttl 300",
                                "RUN psql postgres://db/shop",
                                "RUN sed -i 's/password=.*//' x.conf",
                                "RUN adduser --disabled-password --gecos '' app",
                                "RUN git config credential.helper store",
                                "RUN npm config set //registry.npmjs.org/:_authToken=$NPM_TOKEN",
                                "RUN ssh-keygen -t ed25519 -N '' -f /tmp/k",
                                "RUN apt-get install -y libpam-pwquality passwd",
                                "RUN pip install --no-cache-dir keyring tokenizers",
                                "RUN useradd -r -p '*' app",
                                "RUN curl -u \"$USER:$PASS\" https://x.org",
                                "RUN initdb --pwfile=/run/secrets/pg",
                                "RUN openssl req -x509 -nodes -subj /CN=x",
                                "CMD [\"nginx\", \"-g\", \"daemon off;\"]"),
                        build("secret-in-arg", true, "ONBUILD ARG NPM_TOKEN"),
                        build(
                                "secret-copied",
                                true,
                                "ONBUILD COPY id_rsa /root/.ssh/",
                                "COPY <<E /etc/app.conf\npassword = \"kT9xQ2vLm4Rz\"\nE",
                                "ADD <<\"E\" /app/.env\nAPI_TOKEN=ghp_0123456789012345678901234567890123ab\nE",
                                "RUN <<E cat >/etc/app.conf\ndb_password: kT9xQ2vLm4Rz\nE",
                                "RUN cat >/etc/app.conf <<E\ndb_password: kT9xQ2vLm4Rz\nE"),
                        build(
                                "secret-copied",
                                false,
                                "COPY <<E /etc/app.conf\npassword = ${PASSWORD}\npassword_file = /run/secrets/x\nE",
                                "COPY <<E /etc/app.conf\npassword =\nlisten = 80\nE",
                                "RUN cat >/etc/app.conf <<E\npassword_encryption = scram-sha-256\nE"),
                        build("remote-add", true, "ONBUILD ADD https://x.org/a.bin /"),
                        build(
                                "tls-check-off",
                                true,
                                "RUN echo 'Acquire::https::Verify-Peer \"false\";' >/etc/apt/apt.conf.d/99x",
                                "RUN go env -w GOFLAGS=-insecure",
                                "ENV GOINSECURE=*"),
                        build("tls-check-off", false, "ENV GOINSECURE=", "RUN echo 'Verify-Peer \"true\";'"),
                        build(
                                "plain-http",
                                true,
                                "RUN gem install --source http://gems.example rake",
                                "RUN yarn config set registry http://npm.example",
                                "RUN composer config repositories.x http://packagist.example"),
                        build(
                                "secret-in-env",
                                true,
                                "ENV DB_PASSWORD=hunter2real",
                                "ENV JWT_SECRET hunter2real",
                                "ENV SECRET_KEY_BASE=hunter2real",
                                "ENV API_TOKEN_PROD=hunter2real",
                                "ENV DSN=bob:hunter2real@tcp(db)/shop",
                                "ARG API_KEY\nENV API_KEY=${API_KEY}"),
                        build(
                                "secret-in-env",
                                false,
                                "ENV API_KEY=${API_KEY}",
                                "ENV X=${X}",
                                "ENV SECRET_NAME=shop",
                                "ENV SECRETARY_MAIL=a@b.org",
                                "ENV KEY_SECRET_ARN=arn:aws:x",
                                "ENV PASSWORD_HASH_ROUNDS=12",
                                "ENV TOKEN_BUCKET_SIZE=100",
                                "ENV SECRETS_MANAGER=vault",
                                "ENV PASSWORD_FILE=/run/secrets/x",
                                "ENV MYSQL_RANDOM_ROOT_PASSWORD=yes",
                                "ENV PASSWORD_STORE_DIR=/var/lib/pass",
                                "ENV TOKENIZERS_PARALLELISM=false",
                                "ENV AWS_ACCESS_KEY_ID_FILE=/run/x",
                                "ENV SECRET_SANTA_LIST=anna",
                                "ENV PASSWORD_RESET_LINK=https://x.org/reset"),
                        build(
                                "setuid-added",
                                true,
                                "RUN chmod u+s /usr/bin/x",
                                "RUN chmod 4755 /srv/x",
                                "RUN chmod 6755 /srv/x",
                                "RUN chmod g+s /usr/local/bin/x",
                                "RUN chmod 2755 /usr/sbin/x"),
                        build(
                                "setuid-added",
                                false,
                                "RUN chmod g+s /var/shared",
                                "RUN chmod 2775 /srv/data",
                                "RUN mkdir -m 2755 /srv/x",
                                "RUN install -d -m 2775 /opt/y",
                                "RUN chmod -R g+rwXs /srv",
                                "RUN chmod 1777 /tmp"),
                        build(
                                "pipe-to-shell",
                                true,
                                "RUN curl -fsSL https://x.org/i.sh | sh",
                                "ONBUILD RUN curl https://x.org/i.sh | bash",
                                "ONBUILD RUN --mount=type=cache,target=/c curl https://x.org/i.sh | bash",
                                "ONBUILD RUN [\"sh\", \"-c\", \"curl https://x.org/i.sh | sh\"]",
                                "ONBUILD RUN <<E\ncurl https://x.org/i.sh | sh\nE",
                                "RUN su -c 'curl https://x.org/i.sh | sh' app",
                                "RUN timeout 60 curl https://x.org/i.sh | sh",
                                "RUN curl -fsSLo /tmp/i.sh https://x.org/i.sh && sh /tmp/i.sh",
                                "RUN wget https://x.org/setup.bin && chmod +x setup.bin && ./setup.bin",
                                "RUN curl -O https://x.org/get.py\nRUN python3 get.py",
                                "RUN curl https://x.org/i.sh > i.sh; bash -x i.sh",
                                "RUN powershell -Command \"iwr https://x.org/i.ps1 | iex\"",
                                "RUN pwsh -c \"Invoke-Expression ((New-Object Net.WebClient).DownloadString('https://x'))\"",
                                "RUN Invoke-WebRequest https://x.org/a.exe -OutFile a.exe; Start-Process a.exe -Wait"),
                        build(
                                "pipe-to-shell",
                                false,
                                "RUN curl -fsSL https://x.org/a.tgz | tar xz",
                                "RUN curl -fsSLo i.sh https://x.org/i.sh && echo \"$SUM i.sh\" | sha256sum -c && sh i.sh",
                                "RUN wget https://x.org/a.tar.gz && tar xf a.tar.gz && ./configure && make",
                                "RUN curl -o key.asc https://x.org/key && gpg --verify key.asc && bash ./build.sh",
                                "RUN curl -fsSL https://x.org/key.gpg | gpg --dearmor -o /usr/share/keyrings/x.gpg",
                                "RUN wget -qO- https://x.org/v.txt | tr -d v",
                                "ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://x.org/a /a",
                                "COPY i.sh /i.sh\nRUN sh /i.sh",
                                "RUN Invoke-WebRequest https://x.org/a.zip -OutFile a.zip; Expand-Archive b.zip"),
                        service(
                                "secret-in-arguments",
                                true,
                                "command: [\"redis-server\", \"--requirepass\", \"hunter2real\"]",
                                "command: redis-server --requirepass hunter2real",
                                "command: [\"sh\", \"-c\", \"PGPASSWORD=hunter2real psql\"]",
                                "command: sh -c 'mysql -phunter2real'",
                                "entrypoint: [\"app\", \"--token\", \"hunter2real\"]",
                                "labels: {db.password: hunter2real}",
                                "labels: [\"traefik.auth=Server=db;User=sa;Password=hunter2real\"]",
                                "healthcheck: {test: \"curl -u bob:hunter2real http://localhost\"}",
                                "healthcheck: {test: [CMD, redis-cli, -a, hunter2real, ping]}",
                                "post_start: [{command: [sh, -c, \"app --password=hunter2real\"]}]",
                                "pre_stop: [{command: app --password=hunter2real}]"),
                        service(
                                "secret-in-arguments",
                                false,
                                "command: [\"redis-server\", \"--requirepass\", \"${PASS}\"]",
                                "command: [\"app\", \"--token-file\", \"/run/secrets/t\"]",
                                "command: mysqld --default-authentication-plugin=mysql_native_password",
                                "command: [\"--secret-name\", \"shop\"]",
                                "labels: {traefik.http.routers.web.rule: \"Host(`x.org`)\"}",
                                "labels: {com.x.secret-name: shop}",
                                "healthcheck: {test: [CMD-SHELL, \"redis-cli -a $$PASS ping\"]}",
                                "post_start: [{command: [sh, -c, \"app --password-file /run/secrets/p\"]}]"),
                        service(
                                "host-path",
                                true,
                                "volumes: [\"~:/h\"]",
                                "volumes: [\"/home/anna:/h:ro\"]",
                                "volumes: [\"/dev/sda:/x\"]",
                                "volumes: [\"/dev/mapper/vg-root:/x:ro\"]"),
                        service(
                                "host-path",
                                false,
                                "volumes: [\"~/shop/data:/d\"]",
                                "volumes: [\"/home/anna/shop/data:/d\"]",
                                "volumes: [\"/dev/null:/etc/motd\"]",
                                "volumes: [\"/dev/log:/dev/log\"]"),
                        service(
                                "device-access",
                                true,
                                "device_cgroup_rules: [\"c 10:229 rwm\"]",
                                "device_cgroup_rules: [\"c 1:1 r\"]",
                                "device_cgroup_rules: [\"b 1:3 r\"]"),
                        service(
                                "device-access",
                                false,
                                "device_cgroup_rules: [\"c 1:3 mr\", \"c 136:* rwm\"]",
                                "device_cgroup_rules: [\"b *:* m\"]"),
                        service("engine-socket", true, "use_api_socket: true", "volumes_from: [ci]\n"),
                        service("engine-socket", false, "use_api_socket: false", "volumes_from: [other]"),
                        service(
                                "privileged",
                                true,
                                "post_start: [{command: x, privileged: true}]",
                                "pre_stop: [{command: x, privileged: true}]"),
                        service("privileged", false, "post_start: [{command: x, user: app}]"),
                        service(
                                "pipe-to-shell",
                                true,
                                "build:\n  context: .\n  dockerfile_inline: |\n    FROM alpine\n    RUN wget -qO- https://x.org | sh"),
                        service(
                                "pipe-to-shell",
                                false,
                                "build:\n  context: .\n  dockerfile_inline: |\n    FROM alpine\n    RUN apk add git"),
                        manifest(
                                "service-account-token",
                                false,
                                pod("serviceAccountName: quiet")
                                        + "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: quiet}\n"
                                        + "automountServiceAccountToken: false\n"),
                        manifest(
                                "service-account-token",
                                true,
                                pod("serviceAccountName: loud")
                                        + "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: quiet}\n"
                                        + "automountServiceAccountToken: false\n",
                                pod("serviceAccountName: quiet, automountServiceAccountToken: true")
                                        + "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: quiet}\n"
                                        + "automountServiceAccountToken: false\n"),
                        manifest(
                                "secret-in-arguments",
                                true,
                                pod("hostPID: false")
                                        .replace(
                                                "image: a}",
                                                "image: a, readinessProbe: {exec: {command: [redis-cli, -a, hunter2real]}}}"),
                                pod("hostPID: false")
                                        .replace(
                                                "image: a}",
                                                "image: a, lifecycle: {preStop: {exec: {command: [sh, -c, mysql -phunter2real]}}}}"),
                                pod("hostPID: false")
                                        .replace(
                                                "image: a}",
                                                "image: a, livenessProbe: {httpGet: {port: 80, httpHeaders: "
                                                        + "[{name: Authorization, value: Bearer abcdef0123456789}]}}}")),
                        manifest(
                                "secret-in-arguments",
                                false,
                                pod("hostPID: false")
                                        .replace(
                                                "image: a}",
                                                "image: a, livenessProbe: {httpGet: {port: 80, httpHeaders: "
                                                        + "[{name: Accept, value: text/plain}]}}}")),
                        manifest("secret-in-manifest", true, configMap("password = kT9xQ2vLm4Rz")),
                        manifest(
                                "secret-in-manifest",
                                false,
                                configMap("password_file = /run/secrets/p\n    password =")),
                        manifest("capabilities-kept", true, pod("os: {name: linux}")),
                        manifest(
                                "capabilities-kept",
                                false,
                                pod("os: {name: windows}"),
                                pod("nodeSelector: {kubernetes.io/os: windows}")),
                        manifest("runs-as-root", false, pod("os: {name: windows}")),
                        manifest("root-writable", false, pod("os: {name: windows}")),
                        manifest("memory-unlimited", true, pod("os: {name: windows}")),
                        manifest(
                                "lsm-off",
                                true,
                                pod("hostPID: false")
                                        .replace(
                                                "{name: p}",
                                                "{name: p, annotations: {container.apparmor.security.beta.kubernetes.io/c: unconfined}}")),
                        manifest(
                                "lsm-off",
                                false,
                                pod("hostPID: false")
                                        .replace(
                                                "{name: p}",
                                                "{name: p, annotations: {container.apparmor.security.beta.kubernetes.io/c: runtime/default}}")),
                        manifest(
                                "engine-socket",
                                true,
                                "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: {hostPath: {path: /var/run/docker.sock}}\n"),
                        manifest(
                                "host-path",
                                true,
                                "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: {hostPath: {path: /srv}}\n"),
                        manifest(
                                "host-path",
                                false,
                                "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: {csi: {driver: x}}\n"),
                        manifest(
                                "sysctl-unsafe",
                                true,
                                pod("securityContext: {sysctls: [{name: kernel.msgmax, value: \"1\"}]}")),
                        manifest(
                                "sysctl-unsafe",
                                false,
                                pod("securityContext: {sysctls: [{name: net.ipv4.tcp_syncookies, value: \"1\"}]}")),
                        manifest(
                                "host-network",
                                true,
                                "apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: d}\n  spec: {template: "
                                        + "{spec: {hostNetwork: true, containers: [{name: c, image: a}]}}}\n",
                                "{\"kind\": \"Pod\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"p\"}, \"spec\": "
                                        + "{\"hostNetwork\": true, \"containers\": [{\"name\": \"c\", \"image\": \"a\"}]}}\n"),
                        manifest(
                                "file-not-understood",
                                true,
                                "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nmetadata: {name: w}\nspec: {workflowSpec: "
                                        + "{templates: [{name: x, container: {image: a}}]}}\n",
                                "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec: {steps: [{name: s, image: a}]}\n"),
                        manifest(
                                "file-not-understood",
                                false,
                                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {image: a}\n",
                                "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j}\nspec: {jobTemplate: {spec: {template: "
                                        + "{spec: {containers: [{name: c, image: a}]}}}}}\n"))
                .flatMap(cases -> cases);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void a_check_reports_what_is_bad_and_nothing_else(Case given) throws IOException {
        String text = given.text()
                + (given.fileName().equals("compose.yaml")
                        ? "  ci:\n    image: a:1\n    volumes: [\"/var/run/docker.sock:/s\"]\n  other:\n    image: a:1\n"
                        : "");
        Files.writeString(root.resolve(given.fileName()), text);

        List<Finding> found = audit(given.fileName()).findings().stream()
                .filter(finding -> finding.check().name().equals(given.check()))
                .filter(finding -> finding.status() == Status.FAIL
                        || finding.check().name().equals("file-not-understood"))
                .filter(finding -> !finding.subject().name().endsWith(" service ci"))
                .toList();

        assertThat(!found.isEmpty()).as("%s", found).isEqualTo(given.fails());
    }

    private Report audit(String name) {
        return FileAudit.run(FileRequests.knowing(root, Optional.empty(), Optional.empty(), name));
    }

    @Test
    void a_base_that_is_not_at_hand_leaves_the_user_open() throws IOException {
        Files.writeString(root.resolve("Dockerfile"), "FROM registry.example.org/team/base:1\n");

        assertThat(audit("Dockerfile").findings())
                .filteredOn(finding -> finding.check().name().equals("image-user-root"))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.status()).isEqualTo(Status.NOT_EVALUATED);
                    assertThat(finding.message()).contains("is not at hand");
                });
    }

    @Test
    void a_directory_with_nothing_to_judge_and_an_empty_project_are_reported() throws IOException {
        Files.createDirectories(root.resolve("empty"));
        Files.writeString(root.resolve("compose.yaml"), "# nothing yet\n");

        assertThat(audit("empty").exitCode()).isEqualTo(3);
        assertThat(audit("empty").findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("nothing to judge"));
        assertThat(audit("compose.yaml").exitCode()).isEqualTo(3);
    }

    @Test
    void a_port_that_cannot_be_is_reported_and_the_rest_of_the_file_judged() throws IOException {
        Files.writeString(
                root.resolve("compose.yaml"),
                "services:\n  web:\n    image: a:1\n    privileged: true\n    ports: [\"99999:80\", \"127.0.0.1:80:0\"]\n");

        Report report = audit("compose.yaml");

        assertThat(report.findings())
                .filteredOn(finding -> finding.status() == Status.NOT_EVALUATED)
                .filteredOn(finding -> finding.message().contains("a port that cannot be"))
                .hasSize(2);
        assertThat(FileRequests.failed(report)).contains("privileged");
    }

    @Test
    void service_accounts_of_other_files_of_a_directory_count() throws IOException {
        Files.createDirectories(root.resolve("k"));
        Files.writeString(root.resolve("k/pod.yaml"), pod("serviceAccountName: quiet"));
        Files.writeString(
                root.resolve("k/account.json"),
                "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"quiet\"},"
                        + "\"automountServiceAccountToken\":false}");

        assertThat(FileRequests.failed(audit("k"))).doesNotContain("service-account-token");
    }

    @Test
    void a_chain_of_variables_that_doubles_at_every_line_is_refused() throws IOException {
        StringBuilder dockerfile = new StringBuilder("ARG A=aaaaaaaa\n");
        StringBuilder variables = new StringBuilder("A=aaaaaaaa\n");
        for (int line = 0; line < 60; line++) {
            dockerfile.append("ARG A=$A$A\n");
            variables.append("A=${A}${A}\n");
        }
        Files.writeString(root.resolve("Dockerfile"), dockerfile + "FROM $A\n");
        Files.writeString(root.resolve(".env"), variables.toString());
        Files.writeString(root.resolve("compose.yaml"), "services:\n  web:\n    image: $A\n");

        assertThat(audit("Dockerfile").exitCode()).isEqualTo(3);
        assertThat(audit("compose.yaml").exitCode()).isEqualTo(3);
    }

    @Test
    void a_patch_gives_no_item_twice_to_a_service_that_extends_another() throws IOException {
        Files.writeString(
                root.resolve("compose.yaml"),
                "services:\n  base:\n    image: a:1\n  web:\n    extends: base\n  far:\n    extends: {service: web}\n");

        Proposal proposal =
                FileAudit.propose(FileRequests.knowing(root, Optional.empty(), Optional.empty(), "compose.yaml"));

        for (String name : List.of("safe.patch", "fixes.patch")) {
            String patch = new String(proposal.files().get(name).bytes(), java.nio.charset.StandardCharsets.UTF_8);
            assertThat(patch.split("no-new-privileges:true", -1)).as(name).hasSize(2);
        }
    }

    @Test
    void every_argument_that_holds_a_secret_is_reported_once() throws IOException {
        Files.writeString(root.resolve("compose.yaml"), """
                services:
                  web:
                    image: a:1
                    entrypoint: sh -c "mysql -phunter2real; app postgres://bob:hunter2real@db/x"
                    command: ["--requirepass", "hunter2real"]
                """);

        assertThat(audit("compose.yaml").findings())
                .filteredOn(finding -> finding.check().name().equals("secret-in-arguments"))
                .extracting(finding -> finding.location().orElseThrow().line())
                .containsExactlyInAnyOrder(4, 5);
    }

    @Test
    void directories_of_keys_weigh_the_same_when_they_can_only_be_read() throws IOException {
        Files.writeString(root.resolve("compose.yaml"), """
                services:
                  web:
                    image: a:1
                    volumes: ["~/.ssh:/a:ro", "/etc/shadow:/b:ro", "/root:/c:ro", "/boot:/d:ro"]
                """);

        assertThat(audit("compose.yaml").findings())
                .filteredOn(finding -> finding.check().name().equals("host-path"))
                .extracting(Finding::severity)
                .containsExactly(Severity.HIGH, Severity.HIGH, Severity.HIGH, Severity.MEDIUM);
    }

    @Test
    void an_environment_file_that_is_taken_as_it_is_written_is_read_too() throws IOException {
        Files.writeString(root.resolve("raw.env"), "# raw\nAPI_TOKEN=kT9xQ2vLm4Rz\nDB_PASSWORD=$APP\n");
        Files.writeString(
                root.resolve("compose.yaml"),
                "services: {web: {image: \"a:1\", env_file: [{path: raw.env, format: raw}]}}\n");

        assertThat(audit("compose.yaml").findings())
                .filteredOn(finding -> finding.check().name().equals("env-file-secret"))
                .extracting(Finding::message)
                .anyMatch(message -> message.contains("API_TOKEN"));
    }

    @Test
    void a_file_that_compose_refuses_is_not_clean() throws IOException {
        Files.writeString(root.resolve("compose.yaml"), "web:\n  image: a:1\n  privileged: true\n");

        Report report = audit("compose.yaml");

        assertThat(report.exitCode()).isEqualTo(3);
        assertThat(report.findings())
                .singleElement()
                .satisfies(
                        finding -> assertThat(finding.message()).contains("web").contains("services"));
    }
}
