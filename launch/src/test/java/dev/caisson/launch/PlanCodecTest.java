package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.caisson.secret.SecretName;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule.Access;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.SecretFile;
import dev.caisson.spec.TerminalSize;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.text.AddressText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PlanCodecTest {
    static Stream<LaunchPlan> plans() {
        ContainerSpec everything = Samples.spec()
                .hostName("box")
                .readOnlyRoot(true)
                .terminal(new TerminalSize(24, 80))
                .environment("NAME", "käse\n")
                .workingDirectory("/work")
                .sysctl("net.ipv4.ip_forward", "1")
                .oomScoreAdjustment(1000)
                .rlimit(new Rlimit(Rlimit.Resource.STACK, 8192, Rlimit.UNLIMITED))
                .mount(new Mount.Bind(Path.of("/tmp"), InRootPath.of("data"), false, false))
                .mount(new Mount.Workspace(new WorkspaceName("one"), InRootPath.of("one"), false))
                .mount(new Mount.Tmpfs(InRootPath.of("scratch"), Bytes.mebibytes(1), 01777, true, true))
                .mount(new Mount.Workspace(new WorkspaceName("other"), InRootPath.of("other"), true));
        return Stream.of(
                Samples.plan(),
                Samples.plan(Samples.spec(), Samples.hybridHost()),
                Samples.plan(
                        Samples.spec()
                                .allow(Allowance.HOST_DEVICES)
                                .device(new HostDevice(
                                        Path.of("/dev/fuse"), InRootPath.of("dev/fuse"), Set.of(Access.READ)))
                                .device(new HostDevice(
                                        Path.of("/dev/sda"), InRootPath.of("dev/disk/a"), EnumSet.allOf(Access.class))),
                        Samples.hybridHost()),
                Samples.plan(everything, Samples.hybridHost()),
                Samples.plan(everything.init(false), Samples.host()),
                Samples.plan(everything.allow(Allowance.NEW_PRIVILEGES).newPrivileges(true), Samples.host()),
                Samples.plan(
                        everything.allow(Allowance.PRIVILEGED).privileged(true).seccomp(new SeccompChoice.Unconfined()),
                        Samples.host()),
                Samples.plan(
                        Samples.spec()
                                .allow(Allowance.HOST_IPC)
                                .allow(Allowance.HOST_UTS)
                                .share(ContainerSpec.SharedNamespace.IPC)
                                .share(ContainerSpec.SharedNamespace.UTS),
                        Samples.host()),
                networked(Samples.plan()));
    }

    /// Adds the steps of a network.
    private static LaunchPlan networked(LaunchPlan plan) {
        var steps = new ArrayList<>(plan.steps());
        steps.add(steps.indexOf(new Step.VerifyMounts()), new Step.AwaitLink(2));
        int at = steps.indexOf(new Step.RaiseLoopback()) + 1;
        steps.addAll(
                at,
                List.of(
                        new Step.Netlink(NetlinkProtocol.ROUTE, Samples.requests(2)),
                        new Step.Netlink(NetlinkProtocol.NETFILTER, Samples.requests(3)),
                        new Step.AskGateway(2, AddressText.parse("192.0.2.1").orElseThrow()),
                        new Step.AskGateway(3, AddressText.parse("2001:db8::1").orElseThrow()),
                        new Step.Resolver(20_000, 60_000)));
        return new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), plan.slots(), steps);
    }

    @ParameterizedTest
    @MethodSource("plans")
    void what_is_decoded_is_what_was_encoded(LaunchPlan plan) {
        assertThat(PlanDecoder.steps(PlanCodec.encode(plan))).isEqualTo(plan.steps());
    }

    @ParameterizedTest
    @MethodSource("plans")
    void a_plan_that_was_written_down_is_the_same_plan_without_its_variables_and_arguments(LaunchPlan plan) {
        LaunchPlan again = PlanRecord.of(plan).plan();

        assertThat(again).isEqualTo(withoutTexts(plan));
        assertThat(again.only(Step.Execute.class).environment()).isEmpty();
        PlanRules.verify(again);
    }

    @Test
    void a_source_with_spaces_is_written_down_whole(@TempDir Path directory) throws IOException {
        Path source = Files.createDirectory(directory.resolve("a  b c "));
        LaunchPlan plan = Samples.plan(
                Samples.spec().mount(new Mount.Bind(source, InRootPath.of("data"), true, false)), Samples.host());

        assertThat(PlanRecord.of(plan).plan()).isEqualTo(withoutTexts(plan));
    }

    @Test
    void secrets_are_written_down_by_name_with_owner_and_mode() {
        SecretFile db = SecretFile.of("db");
        LaunchPlan plan = Samples.plan(
                Samples.spec()
                        .mount(new Mount.Secrets(
                                List.of(db, db.file("copy").owner(7, 8).mode(0440)))),
                Samples.host());

        LaunchPlan again = PlanRecord.of(plan).plan();
        assertThat(again).isEqualTo(withoutTexts(plan));
        PlanRules.verify(again);
        assertThat(again.slots())
                .contains(new SlotSource.Secrets(
                        0,
                        List.of(
                                new SlotSource.Secrets.Placed(
                                        new SecretName("db"), new SecretName("db"), 1000, 1001, 0400),
                                new SlotSource.Secrets.Placed(
                                        new SecretName("db"), new SecretName("copy"), 7, 8, 0440))));
        assertThat(plan.only(Step.Execute.class).environment())
                .contains("DB_FILE=/run/secrets/db", "COPY_FILE=/run/secrets/copy");
    }

    private static LaunchPlan withoutTexts(LaunchPlan plan) {
        var steps = new java.util.ArrayList<>(plan.steps());
        Step.Execute last = plan.only(Step.Execute.class);
        steps.set(
                steps.size() - 1,
                new Step.Execute(
                        last.initStays(), last.controllingTerminal(), "", java.util.List.of(""), java.util.List.of()));
        return new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), plan.slots(), steps);
    }

    @Test
    void no_shortened_or_lengthened_plan_is_decoded() {
        byte[] plan = PlanCodec.encode(Samples.plan());

        for (int length = 0; length < plan.length; length++) {
            byte[] shorter = Arrays.copyOf(plan, length);
            assertThatIllegalArgumentException().as("%d bytes", length).isThrownBy(() -> PlanDecoder.steps(shorter));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> PlanDecoder.steps(Arrays.copyOf(plan, plan.length + 1)));
    }

    @Test
    void the_size_field_that_says_the_truth_about_a_short_plan_does_not_help_it() {
        byte[] plan = PlanCodec.encode(Samples.plan());

        for (int length = 16; length < plan.length; length++) {
            byte[] shorter = Arrays.copyOf(plan, length);
            for (int i = 0; i < 4; i++) {
                shorter[4 + i] = (byte) (length >>> (8 * i));
            }
            assertThatIllegalArgumentException().as("%d bytes", length).isThrownBy(() -> PlanDecoder.steps(shorter));
        }
    }

    @Test
    void more_than_a_plan_carries_is_refused() {
        ContainerSpec spec = Samples.spec();
        for (int i = 0; i < 41; i++) {
            spec = spec.environment("V" + i, "x".repeat(100 * 1024));
        }
        LaunchPlan plan = Samples.plan(spec, Samples.host());

        assertThatThrownBy(() -> PlanCodec.encode(plan))
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.code()).isEqualTo("PLAN_TOO_LARGE"));
    }

    /// Two tables of one order would drift: `caisson-init --phases` prints the one that init obeys.
    @Test
    @Timeout(60)
    void opcodes_and_phases_are_those_of_the_native_program(@TempDir Path directory) throws Exception {
        Path program = directory.resolve("caisson-init");
        try (InputStream built = LaunchPlan.class.getResourceAsStream("caisson-init")) {
            assumeThat(built).as("the native program is built").isNotNull();
            Files.copy(built, program);
        }
        assertThat(program.toFile().setExecutable(true)).isTrue();

        Process run = new ProcessBuilder(program.toString(), "--phases").start();
        List<String> lines = run.inputReader().lines().toList();
        assertThat(run.waitFor(5, TimeUnit.SECONDS)).isTrue();
        assertThat(run.exitValue()).isZero();

        assertThat(lines.stream().map(line -> line.substring(0, line.indexOf(' ', line.indexOf(' ') + 1))))
                .containsExactlyElementsOf(Arrays.stream(Opcode.values())
                        .map(opcode -> opcode.number() + " " + opcode.name())
                        .toList());
        for (String line : lines) {
            List<String> words = List.of(line.split(" ", -1));
            List<String> allowed = words.subList(2, words.size());
            phases(Opcode.numbered(Integer.parseInt(words.getFirst())))
                    .forEach(phase -> assertThat(allowed).as(line).contains(phase.name()));
        }
    }

    /// The phases in which any of the sample plans has the opcode.
    private static Set<Phase> phases(Opcode opcode) {
        Set<Phase> phases = new TreeSet<>();
        plans().flatMap(plan -> plan.steps().stream())
                .filter(step -> Opcode.of(step) == opcode)
                .forEach(step -> phases.add(step.phase()));
        return phases;
    }

    @Test
    void the_sample_plans_hold_every_kind_of_step() {
        Set<Opcode> seen = new TreeSet<>();
        plans().flatMap(plan -> plan.steps().stream()).map(Opcode::of).forEach(seen::add);

        assertThat(Opcode.values())
                .filteredOn(opcode -> !seen.contains(opcode))
                .as("kinds that the planner never makes")
                .containsExactly(
                        Opcode.ENTER,
                        Opcode.DOMAINNAME,
                        Opcode.NETLINK_SOCKET,
                        Opcode.SYSCTL_FILE,
                        Opcode.FILES,
                        Opcode.DONE);
    }

    @Test
    void a_filter_is_carried_byte_by_byte() {
        Optional<Step.InstallFilter> filter = PlanDecoder.steps(PlanCodec.encode(Samples.plan())).stream()
                .filter(Step.InstallFilter.class::isInstance)
                .map(Step.InstallFilter.class::cast)
                .findFirst();

        assertThat(filter.orElseThrow().program().bytes())
                .isEqualTo(Samples.filter().bytes());
    }
}
