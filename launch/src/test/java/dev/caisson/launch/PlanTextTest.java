package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.SeccompChoice;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class PlanTextTest {
    private static String text(LaunchPlan plan) {
        return PlanText.lines(plan).stream().map(PlanText.Line::toString).collect(Collectors.joining("\n", "", "\n"));
    }

    @Test
    void a_plan_in_words() {
        assertThat(text(Samples.plan())).isEqualTo("""
                 0 SEAL      dies with the engine; not dumpable; every descriptor closed but the plan's 7
                 1 MAPPED    ids 0–65535 → 1879048192–1879113727 on the host; own user mount pid network ipc uts cgroup time namespaces; no_new_privs
                 2 PRIVATE   a session of its own; nothing mounted here is seen elsewhere
                 3 ROOT      overlay of 2 layers, id-mapped, volatile; 512 MiB and 131072 files may be written, in memory
                 4 MOUNTS    /proc, /sys read-only, /sys/fs/cgroup read-only, /dev 1 MiB, /dev/pts, /dev/shm 64 MiB, /dev/mqueue, host /usr at /usr read-only, by an overlay, writes /etc/hostname, writes /etc/hosts, makes /srv
                 5 DEVICES   null zero full random urandom tty
                 6 PIVOT     this root becomes the only one; the host's tree is gone
                 7 PROTECT   net.ipv4.ping_group_range=0 65535; net.ipv4.ip_unprivileged_port_start=0; user.max_user_namespaces=0; 13 paths masked, 6 read-only; root writable; read back from the kernel
                 8 LIMITS    host name 0123456789ab; nofile 1024:65536; core 1:1; sigpending 4096:4096; oom_score_adj 500; a session keyring of its own, loopback up
                 9 CAPS      keeps CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT inside its own user namespace; drops 31; none effective for user 1000
                10 LANDLOCK  signals and abstract sockets reach no further than the container
                11 READY     in /srv as the user; waits for the start
                12 FILTER    seccomp default
                """);
        assertThat(PlanText.execution(Samples.plan()))
                .isEqualTo("execveat true --flag as 1000:1001 in /srv, under an init that reaps and forwards signals");
    }

    @Test
    void what_is_given_up_is_seen() {
        LaunchPlan plan = Samples.plan(
                Samples.spec()
                        .allow(Allowance.PRIVILEGED)
                        .privileged(true)
                        .newPrivileges(true)
                        .seccomp(new SeccompChoice.Unconfined())
                        .init(false),
                Samples.host());

        assertThat(text(plan))
                .contains("no system call filter", "0 paths masked, 0 read-only", "drops 0")
                .doesNotContain("no_new_privs");
        assertThat(PlanText.execution(plan)).endsWith("as process 1");
    }

    @Test
    void paths_cannot_write_on_the_terminal() {
        LaunchPlan plan = Samples.plan(Samples.spec().workingDirectory("/a\u009b2J\u202eb"), Samples.host());

        assertThat(text(plan) + PlanText.execution(plan))
                .contains("'/a\\u{9b}2J\\u{202e}b'")
                .doesNotContain("\u009b", "\u202e");
    }

    @Test
    void arguments_cannot_write_on_the_terminal() {
        assertThat(PlanText.quoted("--flag=1")).isEqualTo("--flag=1");
        assertThat(PlanText.quoted("")).isEqualTo("''");
        assertThat(PlanText.quoted("a b")).isEqualTo("'a b'");
        assertThat(PlanText.quoted("a'b")).isEqualTo("'a\\u{27}b'");
        assertThat(PlanText.quoted("\u001b[2J")).isEqualTo("'\\u{1b}[2J'");
        assertThat(PlanText.quoted("a\u009bb")).isEqualTo("'a\\u{9b}b'");
        assertThat(PlanText.quoted("a\u202eb")).isEqualTo("'a\\u{202e}b'");
    }

    @Test
    void a_plan_says_what_it_sets_up_of_a_network() {
        LaunchPlan plan = Samples.plan(
                Samples.spec().network(Network.on("web").and(NetworkEndpoint.on("back"))), Samples.networks());

        assertThat(PlanText.lines(plan))
                .filteredOn(line -> line.phase() == Phase.LIMITS)
                .singleElement()
                .asString()
                .endsWith("loopback up; packet filter inet caisson, set neighbors, inet caisson, set neighbors6,"
                        + " inet caisson, chain neighbors (5 rules);"
                        + " eth0 fd00:20::7/64, 172.20.0.7/16, up, route to 0.0.0.0/0 via 172.20.0.1, route to ::/0 via"
                        + " fd00:20::1; eth1 10.9.0.7/32, up, route to 10.9.0.1/32, route to 10.9.0.0/24 via 10.9.0.1;"
                        + " asks for gateway 172.20.0.1; asks for gateway fd00:20::1; asks for gateway 10.9.0.1");
    }
}
