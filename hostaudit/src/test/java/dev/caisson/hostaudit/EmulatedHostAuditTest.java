package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.hostaudit.EmulatedHost.Line;
import dev.caisson.hostaudit.checks.KernelSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Checks of what the kernel of this machine does not have, or may not be changed for a test: AppArmor, SELinux, kernel
/// settings, audit rules, and a host of which nothing is hidden. Two machines are emulated whole, each with a dockerd.
/// Debian's packages apparmor, secilc, docker.io and docker-cli beside those of the tier.
@Tag("emulated")
@Tag("peers")
@Timeout(600)
class EmulatedHostAuditTest {
    /// Checks that have their bad and their good case here.
    static final List<String> COVERED = List.of("apparmor-off", "selinux-off", "kernel-settings", "not-read");

    private static Path work = Path.of("");
    private static List<Line> lines = List.of();

    @BeforeAll
    static void auditMachines() throws Exception {
        work = Files.createTempDirectory(Path.of("/var/tmp"), "caisson-emulated");
        try (var both = Executors.newFixedThreadPool(2)) {
            Future<List<Line>> apparmor = both.submit(() -> audited(List.of(), "apparmor"));
            Future<List<Line>> selinux = both.submit(() -> audited(List.of("security=selinux"), "selinux"));
            lines = Stream.concat(apparmor.get().stream(), selinux.get().stream())
                    .toList();
        }
    }

    private static List<Line> audited(List<String> words, String what) throws IOException, InterruptedException {
        Path own = Files.createDirectory(work.resolve(what));
        TestImages.root(own);
        SelinuxPolicy.write(own.resolve("policy"));
        EmulatedMachine.Result result = EmulatedMachine.run(own, words, EmulatedHost.class, own.toString(), what);
        assertThat(result.status()).as(result.output()).isZero();
        return Line.read(result.output()).toList();
    }

    @AfterAll
    static void clear() {
        Dockerd.remove(work);
    }

    private static List<Line> of(String audit, String check) {
        return lines.stream()
                .filter(line -> line.audit().equals(audit) && line.check().equals(check))
                .toList();
    }

    private static Line of(String audit, String check, String subject) {
        return of(audit, check).stream()
                .filter(line -> line.subject().equals(subject))
                .findFirst()
                .orElseThrow(() -> new AssertionError(lines.toString()));
    }

    @Test
    void a_container_that_no_profile_of_apparmor_confines_is_told_from_one_that_is_confined() {
        assertThat(of("as started", "apparmor-off", "open").status()).isEqualTo("fail");
        Line confined = of("as started", "apparmor-off", "confined");
        assertThat(confined.status()).isEqualTo("pass");
        assertThat(confined.message()).contains("docker-default (enforce)");
        assertThat(of("as started", "selinux-off"))
                .extracting(Line::status)
                .containsExactly("not-applicable", "not-applicable");
    }

    @Test
    void a_profile_that_the_engine_claims_and_the_kernel_does_not_enforce_contradicts() {
        assertThat(of("as started", "apparmor-off")).extracting(Line::agreement).doesNotContain("CONTRADICTION");
        Line bare = of("profile taken away", "apparmor-off", "confined");

        assertThat(bare.status()).isEqualTo("fail");
        assertThat(bare.agreement()).isEqualTo("CONTRADICTION");
        assertThat(of("profile taken away", "claim-contradicted", "confined").status())
                .isEqualTo("fail");
    }

    @Test
    void a_container_that_selinux_does_not_confine_is_told_from_one_that_is_confined() {
        assertThat(of("enforcing", "selinux-off", "open").status()).isEqualTo("fail");
        Line confined = of("enforcing", "selinux-off", "confined");
        assertThat(confined.status()).isEqualTo("pass");
        assertThat(confined.message()).contains("system_u:system_r:container_t:s0:c");
        assertThat(of("enforcing", "apparmor-off"))
                .extracting(Line::status)
                .containsExactly("not-applicable", "not-applicable");
    }

    @Test
    void where_selinux_only_records_nothing_is_confined() {
        Line confined = of("permissive", "selinux-off", "confined");

        assertThat(confined.status()).isEqualTo("fail");
        assertThat(confined.message()).contains("only records");
    }

    @Test
    void limits_are_read_where_there_is_version_2_of_control_groups_alone() {
        for (String check : List.of("memory-unbounded", "cpu-unbounded", "pids-unbounded")) {
            assertThat(of("as started", check, "confined").status()).as(check).isEqualTo("pass");
            assertThat(of("as started", check, "confined").agreement())
                    .as(check)
                    .isEqualTo("AGREE");
            assertThat(of("as started", check, "open").status()).as(check).isEqualTo("fail");
        }
        assertThat(of("as started", "cgroup-unexpected"))
                .extracting(Line::status)
                .containsExactly("pass", "pass");
    }

    @Test
    void each_weak_setting_of_the_kernel_is_told_and_the_proposed_file_mends_all() {
        assertThat(of("careless", "kernel-settings")).singleElement().satisfies(line -> {
            assertThat(line.status()).isEqualTo("fail");
            assertThat(EmulatedHost.WEAK).hasSameSizeAs(KernelSettings.WANTED);
            EmulatedHost.WEAK.forEach(
                    (name, value) -> assertThat(line.message()).contains(name + " is " + value));
        });
        assertThat(of("careful", "kernel-settings")).singleElement().satisfies(line -> {
            assertThat(line.status()).as(line.message()).isEqualTo("pass");
            assertThat(line.message()).contains("all " + KernelSettings.WANTED.size() + " settings");
        });
    }

    @Test
    void paths_are_watched_where_the_kernel_has_the_rule_and_not_before() {
        for (String check : LiveEngineTest.WATCHED) {
            assertThat(of("careless", check)).as(check).extracting(Line::status).containsExactly("fail");
            assertThat(of("careful", check)).as(check).extracting(Line::status).containsExactly("pass");
        }
    }

    @Test
    void what_was_not_asked_is_told_and_a_host_of_which_nothing_is_hidden_passes() {
        assertThat(of("whole", "not-read")).anySatisfy(line -> {
            assertThat(line.status()).isEqualTo("not-evaluated");
            assertThat(line.message()).contains("called like an engine");
        });
        assertThat(of("careful", "not-read"))
                .singleElement()
                .satisfies(line -> assertThat(line.status()).as(line.message()).isEqualTo("pass"));
    }
}
