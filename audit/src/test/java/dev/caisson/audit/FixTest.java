package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.SourceTree;
import io.avaje.jsonb.Jsonb;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Patches are applied by `patch(1)`, and what Debian's `docker-compose` makes of the result is compared.
class FixTest {
    private static final String SHOP = """
            # the shop
            x-log: &log   # one for all
              driver: json-file
            services:
              web:        # what the world sees
                # caisson: allow image-not-pinned the mirror has no digests until 2030-01-01
                image: nginx:1.27   # not alpine
                ports:
                  # the only open port
                  - "80:80"   # http
                  - 127.0.0.1:9090:9090
                privileged: true   # for the old driver
                logging: *log
                volumes:
                  - ./conf:/etc/nginx/conf.d:ro
                  - /var/run/docker.sock:/var/run/docker.sock   # monitor
                restart: always
                security_opt: [seccomp=unconfined, "no-new-privileges:false"]
              # the data
              db:
                image: "postgres:17"
                environment: {POSTGRES_DB: shop}
                network_mode: host
                cap_add:
                - SYS_ADMIN
                deploy: {resources: {limits: {cpus: "2"}}}
                tmpfs: /run/x:size=8m
                logging: *log
                command: |
                  postgres
                  -c shared_buffers=64MB
            """;
    private static final String POD = """
            # two
            apiVersion: v1
            kind: Service
            metadata: {name: s}
            spec: {type: ClusterIP}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: d
            spec:
              selector: {matchLabels: {a: b}}
              template:
                metadata: {labels: {a: b}}
                spec:
                  hostPID: true # debugging
                  containers:
                  - name: c      # the program
                    image: a:1
                    securityContext:
                      privileged: true
                      capabilities:
                        add: [SYS_ADMIN]
                  - {name: e, image: b:1}
                  volumes: []
            """;

    @TempDir
    Path root = Path.of("");

    private AuditRequest request(String... names) {
        return new AuditRequest(
                root,
                Stream.of(names).map(Path::of).toList(),
                Optional.empty(),
                Map.of(),
                BaseImages.NONE,
                LocalDate.of(2026, 11, 25),
                Severity.HIGH,
                Optional.empty(),
                Optional.empty());
    }

    private static List<String> failed(Report report) {
        return report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL)
                .map(finding -> finding.subject() + " " + finding.check().name())
                .toList();
    }

    private String run(String... command) throws IOException, InterruptedException {
        Path out = Files.createTempFile(root, "out", ".txt");
        Process process = new ProcessBuilder(command)
                .directory(root.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        String text = Files.readString(out);
        Files.delete(out);
        assertThat(process.exitValue())
                .as(String.join(" ", command) + "\n" + text)
                .isZero();
        return text;
    }

    /// The project as compose sees it: a value for each path.
    private Map<String, String> model(String... files) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("docker-compose"));
        for (String file : files) {
            command.addAll(List.of("-f", file));
        }
        command.addAll(List.of("config", "--format", "json"));
        Map<String, String> flat = new TreeMap<>();
        flatten("", Jsonb.instance().type(Object.class).fromJson(run(command.toArray(String[]::new))), flat);
        return flat;
    }

    private static void flatten(String path, @Nullable Object node, Map<String, String> flat) {
        switch (node) {
            case Map<?, ?> map -> map.forEach((key, value) -> flatten(path + "/" + key, value, flat));
            case List<?> list -> list.forEach(item -> flat.merge(path, String.valueOf(item), (a, b) -> a + " " + b));
            case null -> flat.put(path, "null");
            default -> flat.put(path, node.toString());
        }
    }

    private static Set<String> changed(Map<String, String> before, Map<String, String> after) {
        Set<String> keys = new TreeSet<>(before.keySet());
        keys.addAll(after.keySet());
        return keys.stream()
                .filter(key -> key.startsWith("/services/"))
                .filter(key -> !before.getOrDefault(key, "").equals(after.getOrDefault(key, "")))
                .map(key -> Stream.of(key.split("/")).skip(2).limit(2).collect(Collectors.joining(" ")))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private void assume(String command) {
        assumeThat(Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(dir -> Files.isExecutable(Path.of(dir, command))))
                .as(command + " is installed")
                .isTrue();
    }

    private static final String[] MEANT = {
        "db cap_add",
        "db cap_drop",
        "db deploy",
        "db logging",
        "db network_mode",
        "db networks",
        "db pids_limit",
        "db read_only",
        "db security_opt",
        "db tmpfs",
        "db user",
        "web cap_drop",
        "web cpus",
        "web logging",
        "web mem_limit",
        "web pids_limit",
        "web ports",
        "web privileged",
        "web read_only",
        "web restart",
        "web security_opt",
        "web tmpfs",
        "web user",
        "web volumes"
    };

    @Test
    void an_applied_patch_settles_the_findings_and_compose_sees_only_the_meant_changes() throws Exception {
        assume("docker-compose");
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        Files.createDirectories(root.resolve("conf"));
        Map<String, String> before = model("compose.yaml");
        Proposal proposal = FileAudit.propose(request("compose.yaml"));
        proposal.writeTo(root.resolve("out"));
        assertThat(root.resolve("compose.yaml")).hasContent(SHOP);

        run("patch", "-p1", "-i", "out/fixes.patch");

        assertThat(failed(FileAudit.run(request("compose.yaml"))))
                .containsExactlyInAnyOrder(
                        "compose.yaml service web no-healthcheck",
                        "compose.yaml service db no-healthcheck",
                        "compose.yaml service db image-not-pinned");
        String after = Files.readString(root.resolve("compose.yaml"));
        assertThat(after)
                .contains(
                        "# the shop", "# one for all", "# what the world sees", "# not alpine", "# the only open port")
                .contains("\"127.0.0.1:80:80\"   # http", "  # the data\n  db:", "    - ALL")
                .contains("postgres\n      -c shared_buffers=64MB\n")
                .doesNotContain("docker.sock");
        assertThat(after.lines().filter(SHOP.lines().toList()::contains).toList())
                .as("what stays, stays in its order")
                .isEqualTo(SHOP.lines().filter(after.lines().toList()::contains).toList());
        assertThat(changed(before, model("compose.yaml"))).isSubsetOf(MEANT);
    }

    @Test
    void an_override_settles_the_same_and_leaves_the_file_alone() throws Exception {
        assume("docker-compose");
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        Files.createDirectories(root.resolve("conf"));
        Map<String, String> before = model("compose.yaml");
        FileAudit.propose(request("compose.yaml")).writeTo(root.resolve("out"));

        Map<String, String> after = model("compose.yaml", "out/compose.override.yaml");

        assertThat(changed(before, after)).isSubsetOf(MEANT).contains("web read_only", "db cap_add", "web volumes");
        Files.copy(root.resolve("out/compose.override.yaml"), root.resolve("compose.override.yaml"));
        assertThat(failed(FileAudit.run(request("compose.yaml"))))
                .containsExactlyInAnyOrder(
                        "compose.yaml service web no-healthcheck",
                        "compose.yaml service db no-healthcheck",
                        "compose.yaml service db image-not-pinned");
        assertThat(after.get("/services/web/ports")).contains("127.0.0.1").doesNotContain("0.0.0.0");
    }

    @Test
    void a_safe_patch_holds_only_what_a_program_hardly_notices() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        FileAudit.propose(request("compose.yaml")).writeTo(root.resolve("out"));

        assertThat(Files.readString(root.resolve("out/safe.patch")))
                .contains("+    pids_limit: 512", "max-size")
                .doesNotContain("read_only", "cap_drop", "+    user:");
    }

    @Test
    void a_manifest_of_several_documents_is_patched_in_the_right_place() throws Exception {
        Files.writeString(root.resolve("pod.yaml"), POD);
        FileAudit.propose(request("pod.yaml")).writeTo(root.resolve("out"));

        run("patch", "-p1", "-i", "out/fixes.patch");

        assertThat(failed(FileAudit.run(request("pod.yaml"))).stream()
                        .map(name -> name.substring(name.lastIndexOf(' ') + 1))
                        .distinct())
                .containsExactlyInAnyOrder("image-not-pinned", "no-healthcheck");
        assertThat(root.resolve("pod.yaml")).content().contains("# debugging", "# the program", "# two");
    }

    @Test
    void a_dockerfile_keeps_everything_but_the_lines_that_change() throws Exception {
        String text = """
                # syntax=docker/dockerfile:1
                FROM debian:13
                # fetch
                ADD app /srv/app
                RUN apt-get update && apt-get install -y nginx  # web
                COPY . /srv
                CMD ["nginx"]
                """;
        Files.createDirectories(root.resolve("a b"));
        Files.writeString(root.resolve("a b/Dockerfile"), text);
        FileAudit.propose(request("a b/Dockerfile")).writeTo(root.resolve("out"));

        run("patch", "-p1", "-i", "out/fixes.patch");

        assertThat(root.resolve("a b/Dockerfile"))
                .hasContent(text.replace("ADD app", "COPY app").replace("CMD", "USER 65532:65532\nCMD"));
        assertThat(root.resolve("a b/.dockerignore")).content().contains(".git\n", ".env\n");
        assertThat(failed(FileAudit.run(request("a b/Dockerfile"))))
                .noneMatch(name -> name.endsWith("image-user-root") || name.endsWith("add-for-copy"));
    }

    @Test
    void line_breaks_merge_keys_and_a_missing_last_one_are_kept() throws Exception {
        String text = String.join(
                "\r\n",
                List.of(
                        "x-base: &base",
                        "  cap_drop: [NET_RAW]",
                        "services:",
                        "  web:",
                        "    <<: *base # shared",
                        "    image: a:1",
                        "    read_only: true"));
        Files.writeString(root.resolve("compose.yaml"), text);
        FileAudit.propose(request("compose.yaml")).writeTo(root.resolve("out"));

        run("patch", "--binary", "-p1", "-i", "out/fixes.patch");

        String after = Files.readString(root.resolve("compose.yaml"));
        assertThat(after)
                .contains("    cap_drop:\r\n      - NET_RAW\r\n      - ALL")
                .startsWith(text);
        assertThat(after.replace("\r\n", "")).doesNotContain("\n");
        assertThat(failed(FileAudit.run(request("compose.yaml"))))
                .noneMatch(name -> name.endsWith("capabilities-kept"));
    }

    @Test
    void a_port_that_is_none_is_not_written_into_a_proposal() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), """
                services:
                  web:
                    image: a:1
                    ports:
                      - '80"]}, evil: {privileged: true}, x: {ports: ["1'
                      - '81:82/tcp"'
                      - "83:84/udp"
                      - '85-86:85-86'
                """);
        Proposal proposal = FileAudit.propose(request("compose.yaml"));

        for (Proposal.Contents contents : proposal.files().values()) {
            assertThat(new String(contents.bytes(), StandardCharsets.UTF_8))
                    .doesNotContain("127.0.0.1:80", "127.0.0.1:81", "+      evil")
                    .matches("(?s).*(?:83:84/udp|pids_limit).*");
        }
        assertThat(new String(proposal.files().get("compose.override.yaml").bytes(), StandardCharsets.UTF_8))
                .contains("127.0.0.1:83:84/udp", "127.0.0.1:85-86:85-86");
    }

    @Test
    void what_a_file_settles_is_told() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), SHOP);

        assertThat(FileAudit.propose(request("compose.yaml")).notes())
                .extracting(note -> note.file() + " " + note.settles())
                .containsExactly(
                        "safe.patch 6 of 25 findings go away",
                        "fixes.patch 22 of 25 findings go away",
                        "compose.override.yaml 22 of 25 findings go away");
    }

    static Stream<RuleCases.Case> cases() {
        return RuleCases.ALL.stream();
    }

    /// Whatever a rule proposes for its bad file: the result is a file, the finding is gone and no new one is there.
    @ParameterizedTest
    @MethodSource("cases")
    void what_a_rule_proposes_settles_it(RuleCases.Case rule) throws Exception {
        Files.writeString(root.resolve("secret.env"), "API_TOKEN=abcdefgh\n");
        Path file = Files.createDirectories(root.resolve("d")).resolve(rule.fileName());
        Files.writeString(root.resolve("d/secret.env"), "API_TOKEN=abcdefgh\n");
        Files.writeString(file, rule.bad());
        String name = "d/" + rule.fileName();
        Proposal proposal = FileAudit.propose(request(name));
        proposal.writeTo(root.resolve("out"));
        assertThat(proposal.refused()).isEmpty();
        boolean patched = proposal.files().containsKey("fixes.patch");
        if (!rule.fileName().equals("Dockerfile")) {
            boolean understood = unknown(proposal.report()).stream().noneMatch(told -> told.endsWith("understood"));
            assertThat(patched)
                    .as("compose and Kubernetes files always get a patch")
                    .isEqualTo(understood && !rule.fileName().equals("object.yaml"));
        }

        Path override = root.resolve("out/d/compose.override.yaml");
        assertThat(Files.exists(override)).isEqualTo(patched && rule.fileName().equals("compose.yaml"));
        if (Files.exists(override)) {
            Path laid = Files.copy(override, root.resolve("d/compose.override.yaml"));
            assertSettled(proposal, name, rule);
            Files.delete(laid);
        }
        if (patched) {
            run("patch", "-p1", "-i", "out/fixes.patch");
        }
        assertSettled(proposal, name, rule);
    }

    private void assertSettled(Proposal proposal, String name, RuleCases.Case rule) {
        Report after = FileAudit.run(request(name));
        assertThat(failed(after)).isSubsetOf(failed(proposal.report()));
        assertThat(unknown(after)).isSubsetOf(unknown(proposal.report()));
        if (PATCHED.contains(rule.check())) {
            assertThat(failed(after)).noneMatch(finding -> finding.endsWith(" " + rule.check()));
        }
    }

    private static List<String> unknown(Report report) {
        return report.findings().stream()
                .filter(finding -> finding.status() == Status.NOT_EVALUATED)
                .map(finding -> finding.subject() + " " + finding.check().name())
                .toList();
    }

    /// Rules whose finding a patch settles, whatever else is in the file.
    private static final Set<String> PATCHED = Set.of(
            "memory-unlimited",
            "cpu-unlimited",
            "pids-unlimited",
            "log-unbounded",
            "runs-as-root",
            "privileged",
            "host-pid",
            "host-ipc",
            "host-uts",
            "host-userns",
            "host-cgroup",
            "capability-added",
            "capabilities-kept",
            "privileges-gained",
            "seccomp-off",
            "root-writable",
            "engine-socket",
            "restart-always",
            "oom-kill-off",
            "default-bridge",
            "service-account-token",
            "storage-unlimited",
            "image-user-root",
            "add-for-copy");

    @Test
    void nothing_is_written_where_compose_would_take_it_up() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        Proposal proposal = FileAudit.propose(request("compose.yaml"));

        assertThatThrownBy(() -> proposal.writeTo(root)).isInstanceOf(AuditException.class);
        assertThat(root.resolve("fixes.patch")).doesNotExist();
    }

    /// The names of files are whatever a stranger's archive says.
    @Test
    void a_command_that_is_told_can_be_given_to_a_shell() throws Exception {
        String name = "-d $(touch pwned) 'it' \"s\\";
        Path directory = Files.createDirectories(root.resolve(name));
        Files.writeString(directory.resolve("compose.yaml"), SHOP);
        Files.writeString(directory.resolve("Dockerfile"), "FROM a\nADD x /x\n");
        Path out = root.resolve("o `touch pwned`");
        Proposal proposal = FileAudit.propose(request("."));
        proposal.writeTo(out);

        String told = proposal.notes().get(1).below(out);
        run("sh", "-c", told.substring(told.indexOf(": patch ") + 2));

        assertThat(directory.resolve("compose.yaml")).content().contains("127.0.0.1:80:80");
        assertThat(directory.resolve("Dockerfile")).content().contains("COPY x /x");
        assertThat(root.resolve("pwned")).doesNotExist();
        String compose = proposal.notes().getLast().below(out);
        compose = compose.substring(compose.indexOf(": docker compose ") + ": docker compose ".length());
        assertThat(run("sh", "-c", "printf '<%s>\n' " + compose))
                .isEqualTo("<-f>\n<./" + name + "/compose.yaml>\n<-f>\n<" + out + "/" + name
                        + "/compose.override.yaml>\n<config>\n");
        assertThat(root.resolve("pwned")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nb", "a\u001b[31mb", "a\u009bb", "a\u202eb", "a\tb"})
    void a_name_that_a_patch_cannot_carry_gets_none(String name) throws Exception {
        Path directory = Files.createDirectories(root.resolve(name));
        Files.writeString(directory.resolve("compose.yaml"), SHOP);
        Files.writeString(directory.resolve("Dockerfile"), "FROM a\nADD x /x\n");

        Proposal proposal = FileAudit.propose(request("."));

        assertThat(proposal.files()).isEmpty();
        assertThat(proposal.refused())
                .hasSize(2)
                .allMatch(sentence -> sentence.contains("a patch cannot carry"))
                .allMatch(sentence -> ShellText.isPlain(sentence.replace("\uFFFD", "")));
        assertThat(proposal.report().findings()).isNotEmpty();
    }

    @Test
    void projects_of_one_directory_and_of_outside_have_proposals_of_their_own() throws Exception {
        for (String directory : List.of("in", "x", "y", "z")) {
            Files.createDirectories(root.resolve(directory));
            Files.writeString(root.resolve(directory).resolve("compose.yaml"), SHOP);
        }
        Files.writeString(root.resolve("in/compose.a.yaml"), SHOP.replace("80:80", "81:81"));
        AuditRequest below = new AuditRequest(
                root.resolve("in"),
                List.of(Path.of("."), Path.of("../x"), Path.of("../y"), Path.of("../z")),
                Optional.empty(),
                Map.of(),
                BaseImages.NONE,
                LocalDate.of(2026, 11, 25),
                Severity.HIGH,
                Optional.empty(),
                Optional.empty());

        Proposal proposal = FileAudit.propose(below);

        assertThat(proposal.files().keySet().stream().filter(name -> name.endsWith(".yaml")))
                .hasSize(5);
        proposal.writeTo(root.resolve("out"));
        try (Stream<Path> written = Files.list(root.resolve("out"))) {
            assertThat(written.filter(file -> file.toString().endsWith(".yaml"))
                            .map(FixTest::secondLine)
                            .distinct())
                    .as("each is for another project")
                    .hasSize(5);
        }
    }

    private static String secondLine(Path file) {
        try {
            return Files.readAllLines(file).get(1);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void nothing_of_the_user_s_is_followed_or_replaced() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        Proposal proposal = FileAudit.propose(request("compose.yaml"));
        Path victim = Files.createDirectory(root.resolve("victim"));
        Path own = Files.writeString(victim.resolve("own"), "own");
        Path out = Files.createDirectory(root.resolve("out"));

        Path link = Files.createSymbolicLink(out.resolve("fixes.patch"), own);
        assertThatThrownBy(() -> proposal.writeTo(out)).hasMessageContaining("is no proposal");
        Files.delete(link);
        Files.createSymbolicLink(out.resolve("fixes.patch"), victim.resolve("made"));
        assertThatThrownBy(() -> proposal.writeTo(out)).hasMessageContaining("is no proposal");
        Files.delete(out.resolve("fixes.patch"));
        Files.writeString(out.resolve("compose.override.yaml"), "services: {}\n");
        assertThatThrownBy(() -> proposal.writeTo(out)).hasMessageContaining("is no proposal");
        assertThat(out.resolve("safe.patch")).as("all or nothing").doesNotExist();
        Files.delete(out.resolve("compose.override.yaml"));
        Path linked = Files.createSymbolicLink(root.resolve("linked"), victim);
        assertThatThrownBy(() -> proposal.writeTo(linked)).hasMessageContaining("symbolic link");
        assertThatThrownBy(() -> proposal.writeTo(own)).hasMessageContaining("no directory");

        proposal.writeTo(out);
        proposal.writeTo(out);

        assertThat(own).hasContent("own");
        try (Stream<Path> left = Files.list(out)) {
            assertThat(left.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("safe.patch", "fixes.patch", "compose.override.yaml");
        }
        try (Stream<Path> left = Files.list(victim)) {
            assertThat(left).containsExactly(own);
        }
        assertThat(Files.getPosixFilePermissions(out.resolve("safe.patch")))
                .doesNotContain(java.nio.file.attribute.PosixFilePermission.OWNER_EXECUTE);
    }

    @Test
    void a_link_below_the_directory_is_not_followed() throws Exception {
        Files.createDirectories(root.resolve("shop"));
        Files.writeString(root.resolve("shop/compose.yaml"), SHOP);
        Path victim = Files.createDirectory(root.resolve("victim"));
        Path out = Files.createDirectory(root.resolve("out"));
        Files.createSymbolicLink(out.resolve("shop"), victim);

        assertThatThrownBy(() -> FileAudit.propose(request("shop")).writeTo(out))
                .hasMessageContaining("symbolic link");
        assertThat(victim).isEmptyDirectory();
    }

    /// A change that would break a file is left out, and others are still proposed.
    @Test
    void a_change_that_breaks_a_file_is_not_proposed() throws Exception {
        Files.writeString(root.resolve("Dockerfile"), "FROM a\nADD x /x\n");
        Files.writeString(root.resolve("compose.yaml"), "services: {web: {image: a:1}}\n");
        AuditRequest request = request("Dockerfile", "compose.yaml");
        SourceTree tree = new SourceTree(root);
        Report report = FileAudit.run(request, tree);
        Map<String, Fix> fixes = new TreeMap<>();
        for (Finding finding : report.findings()) {
            switch (finding.check().name()) {
                case "add-for-copy" ->
                    fixes.put(
                            finding.fingerprint(),
                            Fixes.replace(true, tree.read(Path.of("Dockerfile")).place(7, 10), "NONSENSE"));
                case "image-not-pinned" -> {
                    if (finding.subject().name().startsWith("compose")) {
                        fixes.put(
                                finding.fingerprint(),
                                Fixes.replace(
                                        true, tree.read(Path.of("compose.yaml")).place(25, 26), "b"));
                    }
                }
                default -> {}
            }
        }

        Proposal proposal = new Patches(request, tree, report, fixes, List.of()).propose();

        assertThat(proposal.refused()).hasSize(1).first().asString().contains("Dockerfile", "not be understood");
        assertThat(new String(proposal.files().get("fixes.patch").bytes(), StandardCharsets.UTF_8))
                .contains("compose.yaml")
                .doesNotContain("Dockerfile");
    }

    @Test
    void a_second_run_over_the_directory_is_not_about_the_first_ones_proposal() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        Proposal first = FileAudit.propose(request("."));
        first.writeTo(root.resolve("out"));

        Proposal second = FileAudit.propose(request("."));

        assertThat(second.report().findings()).isEqualTo(first.report().findings());
        assertThat(second.files().keySet()).isEqualTo(first.files().keySet());
    }
}
