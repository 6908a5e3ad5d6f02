package dev.caisson.hostaudit;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Proposal;
import dev.caisson.hostaudit.collect.Collector;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.proposals.HostProposals;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// What [EmulatedHostAuditTest] has its machine do: dockerd with two containers, and audits of that host. Each finding
/// is a line that starts with the name of its audit.
final class EmulatedHost {
    private static final Path DISK = Path.of("/disk");

    /// As weak as the kernel lets them be.
    static final Map<String, String> WEAK = Map.ofEntries(
            Map.entry("kernel.kptr_restrict", "0"),
            Map.entry("kernel.dmesg_restrict", "0"),
            Map.entry("kernel.unprivileged_bpf_disabled", "0"),
            Map.entry("kernel.perf_event_paranoid", "-1"),
            Map.entry("kernel.randomize_va_space", "0"),
            Map.entry("kernel.yama.ptrace_scope", "0"),
            Map.entry("fs.protected_symlinks", "0"),
            Map.entry("fs.protected_hardlinks", "0"),
            Map.entry("fs.protected_fifos", "0"),
            Map.entry("fs.protected_regular", "0"),
            Map.entry("fs.suid_dumpable", "2"),
            Map.entry("vm.unprivileged_userfaultfd", "1"));

    private final Path work;
    private final Path staged;

    private EmulatedHost(Path work) throws IOException {
        this.work = work;
        this.staged = StagedHost.closed(DISK.resolve("root"));
    }

    /// A finding as the other side reads it.
    record Line(String audit, String check, String status, String subject, String agreement, String message) {
        static Line of(String audit, Finding finding) {
            return new Line(
                    audit,
                    finding.check().name(),
                    finding.status().word(),
                    finding.subject().name(),
                    finding.agreement().name(),
                    finding.message());
        }

        static Stream<Line> read(String output) {
            return output.lines()
                    .map(line -> line.split("\t", -1))
                    .filter(cells -> cells.length == 6)
                    .map(cells -> new Line(cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]));
        }

        String text() {
            return String.join("\t", List.of(audit, check, status, subject, agreement, message));
        }
    }

    public static void main(String[] arguments) throws Exception {
        if (!Files.readString(Path.of("/proc/cmdline")).contains("rootfstype=virtiofs")) {
            throw new IllegalStateException(
                    "this changes the kernel's settings, and is for a machine of the test's own");
        }
        var host = new EmulatedHost(Path.of(arguments[0]));
        List<String> flags = new ArrayList<>(List.of("--bridge=none", "--iptables=false"));
        boolean selinux = arguments[1].equals("selinux");
        if (selinux) {
            host.startSelinux();
            flags.add("--selinux-enabled");
        }
        try (Dockerd daemon = Dockerd.start(DISK.resolve("docker"), flags.toArray(String[]::new))) {
            new TestImages(daemon, host.work).imported("bb");
            run(daemon, "confined", "--memory=64m", "--cpus=0.5", "--pids-limit=50");
            run(daemon, "open", selinux ? "--security-opt=label=disable" : "--security-opt=apparmor=unconfined");
            if (selinux) {
                selinux(daemon);
            } else {
                appArmor(daemon);
                host.settingsRulesAndGaps(daemon);
            }
        }
    }

    private static void run(Dockerd daemon, String name, String... options) {
        List<String> command = new ArrayList<>(List.of("run", "--detach", "--name", name, "--network=none"));
        command.addAll(List.of(options));
        command.addAll(List.of("bb", "sleep", "600"));
        daemon.docker(command);
    }

    /// The machine has started with SELinux and without a policy.
    private void startSelinux() throws IOException {
        Dockerd.must("mount", "-t", "selinuxfs", "selinux", "/sys/fs/selinux");
        Path types = Files.createDirectories(Path.of("/etc/selinux/caisson/contexts"));
        Files.writeString(Path.of("/etc/selinux/config"), "SELINUX=enforcing\nSELINUXTYPE=caisson\n");
        Files.writeString(
                types.resolve("lxc_contexts"),
                "process = \"system_u:system_r:container_t:s0\"\nfile = \"system_u:object_r:container_file_t:s0\"\n");
        // the kernel takes it in one piece
        try (FileChannel load = FileChannel.open(Path.of("/sys/fs/selinux/load"), StandardOpenOption.WRITE)) {
            load.write(ByteBuffer.wrap(Files.readAllBytes(work.resolve("policy"))));
        }
        enforce("1");
    }

    private static void enforce(String value) throws IOException {
        Files.writeString(Path.of("/sys/fs/selinux/enforce"), value);
    }

    private static void selinux(Dockerd daemon) throws IOException {
        audit(daemon, "enforcing");
        enforce("0");
        audit(daemon, "permissive");
    }

    private static void appArmor(Dockerd daemon) throws IOException {
        audit(daemon, "as started");
        Path profile = Files.writeString(DISK.resolve("profile"), "profile docker-default {}\n");
        Dockerd.must("apparmor_parser", "--remove", profile.toString());
        audit(daemon, "profile taken away");
    }

    private void settingsRulesAndGaps(Dockerd daemon) throws IOException {
        for (Map.Entry<String, String> setting : WEAK.entrySet()) {
            Files.writeString(Path.of("/proc/sys", setting.getKey().replace('.', '/')), setting.getValue());
        }
        Path named = Files.copy(Path.of("/bin/sleep"), DISK.resolve("crio"));
        Process other = new ProcessBuilder(named.toString(), "600").start();
        Facts facts = auditWithFiles(daemon, "careless");
        HostAuditRequest whole = LiveRequests.of(Optional.empty(), Path.of("/"));
        tell("whole", Collector.collect(whole.scope()), whole);
        other.destroy();
        other.onExit().join();
        Path settings = Files.write(DISK.resolve("settings.conf"), proposed(facts, "99-caisson.conf"));
        Dockerd.must("busybox", "sysctl", "-p", settings.toString());
        Process watcher = new ProcessBuilder(
                        work.resolve("actor").toString(), "watch", "/usr", "/etc", "/run", DISK.toString())
                .start();
        String ready =
                new BufferedReader(new InputStreamReader(watcher.getInputStream(), StandardCharsets.UTF_8)).readLine();
        System.out.println("audit rules: " + ready);
        auditWithFiles(daemon, "careful");
        watcher.destroy();
    }

    private byte[] proposed(Facts facts, String file) {
        Proposal proposal = HostProposals.of(
                HostAudit.judge(facts, LiveRequests.of(Optional.empty(), staged)), facts, staged, Map.of());
        return Optional.ofNullable(proposal.files().get(file)).orElseThrow().bytes();
    }

    /// Tells what is found of this machine as it is.
    private static void audit(Dockerd daemon, String name) {
        HostAuditRequest request = LiveRequests.of(Optional.of(daemon.socket()), Path.of("/"));
        tell(name, Collector.collect(request.scope()), request);
    }

    /// As [#audit], with the usual files of a staged host.
    private Facts auditWithFiles(Dockerd daemon, String name) {
        HostAuditRequest request = LiveRequests.of(Optional.of(daemon.socket()), staged);
        Facts real = Collector.collect(
                LiveRequests.of(Optional.of(daemon.socket()), Path.of("/")).scope());
        Facts facts = StagedHost.joined(real, Collector.collect(request.scope()));
        tell(name, facts, request);
        return facts;
    }

    private static void tell(String name, Facts facts, HostAuditRequest request) {
        HostAudit.judge(facts, request)
                .findings()
                .forEach(finding -> System.out.println(Line.of(name, finding).text()));
    }
}
