package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Report;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import dev.caisson.hostaudit.ContainerCases.Case;
import dev.caisson.hostaudit.collect.Collector;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.FactsJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every check of containers and images against live ones, bad and good, in a dockerd of the test's own.
@Tag("peers")
@Timeout(600)
class LiveContainersTest {

    private static Path work = Path.of("");
    private static Optional<Dockerd> started = Optional.empty();
    private static Facts facts = FactsFile.recorded();
    private static List<Finding> findings = List.of();

    private static Dockerd daemon() {
        return started.orElseThrow();
    }

    @BeforeAll
    static void startEverything() throws IOException {
        work = Files.createTempDirectory(Path.of("/var/tmp"), "caisson-hostaudit");
        Path shared = Files.createDirectories(work.resolve("d/shared"));
        Dockerd.must("mount", "-t", "tmpfs", "-o", "size=1m", "none", shared.toString());
        Dockerd.must("mount", "--make-shared", shared.toString());
        Files.writeString(work.resolve("d/allow.json"), "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
        started = Optional.of(Dockerd.start(work.resolve("d")));
        images(new TestImages(daemon(), work));
        try (TestRegistry registry = new TestRegistry(daemon(), work)) {
            registry.pulled("new", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
            registry.pulled("old", "2024-01-01T00:00:00Z");
        }
        for (Case each : ContainerCases.ALL) {
            run(each.badName(), each.bad());
            run(each.goodName(), each.good());
        }
        ReferenceTable.start(LiveContainersTest::run, daemon());
        for (Case each : ContainerCases.ALL) {
            each.after().forEach(command -> daemon().docker(words(command, each.badName())));
            each.afterGood().forEach(command -> daemon().docker(words(command, each.goodName())));
        }
        daemon().docker("tag", "exposing", "bb-moved");
        // behind the engine's back
        Files.writeString(
                Path.of(
                        "/sys/fs/cgroup/memory/docker",
                        daemon().idOf("bad-claim-contradicted"),
                        "memory.memsw.limit_in_bytes"),
                "-1");
        Files.writeString(
                Path.of(
                        "/sys/fs/cgroup/memory/docker",
                        daemon().idOf("bad-claim-contradicted"),
                        "memory.limit_in_bytes"),
                "-1");
        HostAuditRequest request = request();
        facts = Collector.collect(request.scope());
        findings = HostAudit.judge(facts, request).findings();
    }

    private static void images(TestImages images) throws IOException {
        images.imported("bb");
        images.imported("bb-moved", "LABEL old=yes");
        images.imported("exposing", "EXPOSE 80");
        images.imported("toor", "USER toor");
        images.imported("asapp", "USER app", "HEALTHCHECK CMD true");
        images.imported("address", "ENV ADDRESS=10.0.0.1");
        images.imported("withsecret", "ENV DB_PASSWORD=hunter2xyz");
        images.built("setuid", "FROM bb\nRUN chmod 4755 /bin/busybox\n");
        images.built("unset", "FROM setuid\nRUN chmod 0755 /bin/busybox\n");
        images.built("added", "FROM bb\nADD file /file\n");
        images.built("copied", "FROM bb\nCOPY file /file\n");
        images.built("keyed", "FROM bb\nCOPY key.pem /key.pem\nRUN rm /key.pem\n");
        images.built("updating", "FROM bb\nRUN true " + "x".repeat(60) + " apt-get update\n");
        images.built("installing", "FROM bb\nRUN true apt-get update && true apt-get install -y curl\n");
        images.built("unverified", "FROM bb\nRUN true apt-get install --allow-unauthenticated x\n");
        images.built("tools", "FROM bb\nRUN touch /bin/gcc && chmod 755 /bin/gcc\n");
        images.built("described", """
                FROM bb
                RUN touch /app.spdx.json
                LABEL org.opencontainers.image.source=https://example.org/x org.opencontainers.image.revision=1
                """);
    }

    private static void run(String name, String arguments) {
        List<String> command = new ArrayList<>(List.of("run", "--detach", "--name", name));
        command.addAll(words(arguments, name));
        daemon().docker(command);
    }

    private static List<String> words(String text, String name) {
        return ContainerCases.words(
                text,
                word -> word.replace("{dir}", daemon().directory().toString()).replace("{name}", name));
    }

    private static HostAuditRequest request() {
        return LiveRequests.of(Optional.of(daemon().socket()), Path.of("/"));
    }

    @AfterAll
    static void stopEverything() {
        started.ifPresent(Dockerd::close);
        Dockerd.remove(work);
    }

    private static Finding finding(String check, Subject.Kind kind, String subject) {
        return findings.stream()
                .filter(found -> found.check().name().equals(check)
                        && found.subject().kind() == kind
                        && found.subject().name().equals(subject))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no finding of " + check + " for " + subject));
    }

    static Stream<Case> containers() {
        return ContainerCases.ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("containers")
    void each_check_fails_the_bad_container_and_passes_the_good_one(Case each) {
        Finding bad = finding(each.check(), Subject.Kind.CONTAINER, each.badName());
        Finding good = finding(each.check(), Subject.Kind.CONTAINER, each.goodName());

        assertThat(bad.status()).as(bad.message()).isEqualTo(Status.FAIL);
        assertThat(good.status()).as(good.message()).isEqualTo(Status.PASS);
        assertThat(each.truth().test(daemon().pidOf(each.badName())))
                .as("%s: the kernel shows the bad one's fault", each.check())
                .isTrue();
        assertThat(each.truth().test(daemon().pidOf(each.goodName())))
                .as("%s: the kernel shows it of the good one only where it has nothing to do with it", each.check())
                .isEqualTo(ContainerCases.TOLD_BY_THE_ENGINE.contains(each.check()));
    }

    record ImageCase(String check, String bad, String good) {}

    static final List<ImageCase> IMAGES = List.of(
            new ImageCase("image-root", "toor", "asapp"),
            new ImageCase("image-tools", "tools", "bb"),
            new ImageCase("image-unhealthy", "bb", "asapp"),
            new ImageCase("image-update-alone", "updating", "installing"),
            new ImageCase("image-setuid", "setuid", "unset"),
            new ImageCase("image-untrusted", "bb", TestRegistry.named("new")),
            new ImageCase("image-stale", TestRegistry.named("old"), TestRegistry.named("new")),
            new ImageCase("image-add", "added", "copied"),
            new ImageCase("image-add", "added", "address"),
            new ImageCase("image-secrets", "withsecret", "address"),
            new ImageCase("image-secrets", "keyed", "bb"),
            new ImageCase("image-unverified-packages", "unverified", "installing"),
            new ImageCase("image-unsigned", "bb", "described"));

    static Stream<ImageCase> images() {
        return IMAGES.stream();
    }

    @ParameterizedTest
    @MethodSource("images")
    void each_check_fails_the_bad_image_and_passes_the_good_one(ImageCase each) {
        Finding bad = finding(each.check(), Subject.Kind.IMAGE, each.bad() + ":latest");
        Finding good = finding(each.check(), Subject.Kind.IMAGE, each.good() + ":latest");

        assertThat(bad.status()).as(bad.message()).isEqualTo(Status.FAIL);
        assertThat(good.status()).as(good.message()).isEqualTo(Status.PASS);
    }

    @Test
    void forty_recommendations_that_a_search_of_texts_answers_wrongly_are_answered_rightly() throws IOException {
        assertThat(ReferenceTable.compared()).hasSize(40);
        assertThat(ReferenceTable.print(new ReferenceEngines(work).with(findings)))
                .isEmpty();
    }

    @Test
    void the_same_facts_give_the_same_findings_in_the_same_order_also_after_a_journey_as_json() {
        HostAuditRequest request = request();
        Facts travelled = FactsJson.read(FactsJson.write(facts));

        assertThat(travelled).isEqualTo(facts);
        assertThat(HostAudit.judge(travelled, request).findings()).isEqualTo(findings);
    }

    @Test
    void an_audit_changes_nothing_on_the_host() throws IOException {
        List<String> before = host();

        HostAudit.run(request());

        assertThat(host()).isEqualTo(before);
    }

    /// Containers, images, volumes, networks; mounts; control groups; and every file of the engine's data
    /// with the time of its last change, but for what a health check that runs by itself writes.
    private static List<String> host() throws IOException {
        List<String> all = new ArrayList<>();
        all.addAll(daemon().docker("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}")
                .lines()
                .toList());
        for (String kind : List.of("image", "volume", "network")) {
            all.addAll(daemon().docker(kind, "ls", "--quiet").lines().toList());
        }
        all.addAll(Files.readString(Path.of("/proc/" + daemon().pid() + "/mountinfo"))
                .lines()
                .toList());
        all.addAll(Dockerd.must("find", "/sys/fs/cgroup/pids/docker", "-type", "d")
                .lines()
                .sorted()
                .toList());
        all.addAll(Dockerd.must(
                        "find",
                        work.resolve("d/data").toString(),
                        "-path",
                        "*/containers/*",
                        "-prune",
                        "-o",
                        "-printf",
                        "%p %C@ %m\\n")
                .lines()
                .sorted()
                .toList());
        assertThat(all).hasSizeGreaterThan(200);
        all.sort(java.util.Comparator.naturalOrder());
        return all;
    }

    @Test
    void one_container_can_be_audited_alone() {
        Report report = HostAudit.run(LiveRequests.about(
                Optional.of("container:bad-filter-off"),
                Optional.of(daemon().socket()),
                Path.of("/"),
                work.resolve("no-state")));

        assertThat(report.findings())
                .isNotEmpty()
                .allMatch(finding -> finding.subject().name().equals("bad-filter-off"));
    }
}
