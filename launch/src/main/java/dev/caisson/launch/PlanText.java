package dev.caisson.launch;

import dev.caisson.network.GuestSide;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Capability;
import dev.caisson.spec.InRootPath;
import dev.caisson.text.AddressText;
import dev.caisson.text.TerminalText;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// A plan in words: one line for each phase, for people.
public final class PlanText {
    /// The text of one phase.
    public record Line(Phase phase, String text) {
        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%2d %-9s %s", phase.number(), phase, text);
        }
    }

    private final LaunchPlan plan;

    private PlanText(LaunchPlan plan) {
        this.plan = plan;
    }

    /// The phases that do something, in their order.
    public static List<Line> lines(LaunchPlan plan) {
        var text = new PlanText(plan);
        var lines = new ArrayList<Line>();
        for (Phase phase : Phase.values()) {
            String line = text.phase(phase);
            if (!line.isEmpty()) {
                lines.add(new Line(phase, line));
            }
        }
        return lines;
    }

    /// Describes what happens after the last phase.
    public static String execution(LaunchPlan plan) {
        Step.Execute execute = plan.only(Step.Execute.class);
        Step.SetPrivileges privileges = plan.only(Step.SetPrivileges.class);
        return String.format(
                Locale.ROOT,
                "execveat %s as %d:%d in %s%s",
                execute.arguments().stream().map(PlanText::quoted).collect(Collectors.joining(" ")),
                privileges.uid(),
                privileges.gid(),
                quoted(plan.only(Step.Ready.class).workingDirectory()),
                execute.initStays() ? ", under an init that reaps and forwards signals" : " as process 1");
    }

    /// An argument as it can be told on one line of a terminal, whatever it holds.
    static String quoted(String argument) {
        boolean plain = !argument.isEmpty()
                && argument.codePoints().allMatch(c -> c > ' ' && c != '\'' && !TerminalText.isUnfit(c));
        if (plain) {
            return argument;
        }
        var quoted = new StringBuilder("'");
        argument.codePoints().forEach(c -> {
            if (c == '\'' || TerminalText.isUnfit(c)) {
                quoted.append(String.format(Locale.ROOT, "\\u{%x}", c));
            } else {
                quoted.appendCodePoint(c);
            }
        });
        return quoted.append("'").toString();
    }

    private static String quoted(InRootPath path) {
        return quoted(path.absolute());
    }

    private String phase(Phase phase) {
        return switch (phase) {
            case SEAL ->
                "dies with the engine; not dumpable; every descriptor closed but the plan's "
                        + plan.slots().stream().filter(SlotSource::isForInit).count();
            case MAPPED -> mapped();
            case PRIVATE -> "a session of its own; nothing mounted here is seen elsewhere";
            case ROOT -> root();
            case MOUNTS -> mounts();
            case DEVICES -> devices();
            case PIVOT -> "this root becomes the only one; the host's tree is gone";
            case PROTECT -> protect();
            case LIMITS -> limits();
            case CAPS -> capabilities();
            case LANDLOCK ->
                plan.has(Step.RestrictScope.class)
                        ? "signals and abstract sockets reach no further than the container"
                        : "";
            case READY ->
                "in " + quoted(plan.only(Step.Ready.class).workingDirectory()) + " as the user; waits for the start";
            case FILTER -> filter();
        };
    }

    private String mapped() {
        var parts = new ArrayList<String>();
        parts.add("ids " + plan.ids() + " on the host");
        parts.add("own "
                + plan.madeNamespaces().stream()
                        .sorted()
                        .map(Namespace::toString)
                        .collect(Collectors.joining(" "))
                + " namespaces");
        if (plan.usesHostNetwork()) {
            parts.add("the network namespace of the host");
        }
        if (plan.sharesNetwork()) {
            parts.add("the network namespace of another container");
        }
        if (plan.has(Step.NoNewPrivileges.class)) {
            parts.add("no_new_privs");
        }
        return String.join("; ", parts);
    }

    private String root() {
        LaunchPlan.RootAssembly root = plan.root();
        String medium = switch (plan.medium()) {
            case MEMORY -> "in memory";
            case PROJECT -> "on disk, by project quota";
            case IMAGE -> "on disk, in an ext4 image";
        };
        return String.format(
                Locale.ROOT,
                "overlay of %d %s, id-mapped, volatile; %s and %d files may be written, %s",
                root.layers(),
                root.layers() == 1 ? "layer" : "layers",
                Bytes.of(root.bytes()),
                root.inodes(),
                medium);
    }

    private String mounts() {
        var parts = new ArrayList<String>();
        for (Step step : plan.steps()) {
            switch (step) {
                case Step.MountFileSystem mount -> parts.add(describe(mount));
                case Step.MountSlot mount -> {
                    parts.add(describe(plan.slots().get(mount.slot().index()), mount.target()));
                }
                case Step.WriteFile write -> parts.add("writes " + quoted(write.path()));
                case Step.MakeDirectory make -> parts.add("makes " + quoted(make.path()));
                default -> {}
            }
        }
        return String.join(", ", parts);
    }

    private static String describe(SlotSource source, InRootPath target) {
        return switch (source) {
            case SlotSource.Bind bind ->
                "host " + quoted(bind.source().toString()) + " at " + quoted(target)
                        + (bind.readOnly() ? " read-only" : " writable");
            case SlotSource.Shared shared ->
                shared.name().kind() + " " + shared.name() + below(shared.subpath()) + " at " + quoted(target)
                        + (shared.readOnly() ? " read-only" : " writable");
            case SlotSource.ImageFiles files ->
                "image " + files.image() + below(files.subpath()) + " at " + quoted(target) + " read-only";
            case SlotSource.Secrets secrets ->
                secrets.files().stream()
                                .map(file -> file.secret().text())
                                .collect(Collectors.joining(" ", "secrets ", ""))
                        + " at " + quoted(target) + " read-only, in memory";
            case SlotSource.Cover cover ->
                "host " + quoted(cover.source().toString()) + " at " + quoted(target) + " read-only, by an overlay";
            default -> throw new IllegalStateException("no mount comes from " + source);
        };
    }

    private static String below(InRootPath subpath) {
        return subpath.isRoot() ? "" : ", its " + quoted(subpath.relative()) + ",";
    }

    private static String describe(Step.MountFileSystem mount) {
        String what = quoted(mount.target());
        if (mount.fileSystem() == KernelFileSystem.TMPFS) {
            what += " " + Bytes.of(mount.bytes());
        }
        return what + (mount.flags().contains(MountFlag.READ_ONLY) ? " read-only" : "");
    }

    private String devices() {
        String names = plan.all(Step.BindDevice.class).stream()
                .map(bind -> bind.device().name().toLowerCase(java.util.Locale.ROOT))
                .collect(Collectors.joining(" "));
        return names
                + (plan.has(Step.OpenConsole.class) ? "; a terminal of its own as the standard streams" : "")
                + plan.all(Step.PlaceDevice.class).stream().map(this::describe).collect(Collectors.joining());
    }

    private String describe(Step.PlaceDevice place) {
        var device = (SlotSource.Device) plan.slots().get(place.slot().index());
        return "; host " + quoted(device.source().toString()) + " at " + quoted(place.target()) + ", by the rule "
                + place.node().rule(device.access());
    }

    private String protect() {
        var parts = new ArrayList<String>();
        int masked = plan.all(Step.Mask.class).size();
        int readOnly = plan.all(Step.MakeReadOnly.class).size();
        plan.all(Step.SetSysctl.class)
                .forEach(set -> parts.add(set.name().relative().replace('/', '.') + "=" + set.value()));
        parts.add(masked + " paths masked, " + readOnly + " read-only");
        parts.add(plan.has(Step.MakeRootReadOnly.class) ? "root read-only" : "root writable");
        parts.add("read back from the kernel");
        return String.join("; ", parts);
    }

    private String limits() {
        var parts = new ArrayList<String>();
        plan.all(Step.SetHostName.class).forEach(set -> parts.add("host name " + set.name()));
        plan.all(Step.SetResourceLimit.class)
                .forEach(set -> parts.add(set.limit().toString()));
        parts.add("oom_score_adj " + plan.only(Step.SetOomScoreAdjustment.class).value());
        parts.add("a session keyring of its own" + (plan.sharesNetwork() ? "" : ", loopback up"));
        plan.all(Step.Netlink.class)
                .forEach(netlink -> parts.add(
                        switch (netlink.protocol()) {
                            case ROUTE -> NetworkCheck.links(plan, netlink);
                            case NETFILTER ->
                                "packet filter "
                                        + String.join(
                                                ", ",
                                                GuestSide.lines(List.of(
                                                        netlink.requests().bytes())));
                        }));
        plan.all(Step.AskGateway.class).forEach(ask -> parts.add("asks for gateway " + AddressText.of(ask.gateway())));
        plan.all(Step.Resolver.class).forEach(it -> parts.add("sockets of a resolver: " + NetworkCheck.text(it)));
        return String.join("; ", parts);
    }

    private String capabilities() {
        Step.SetPrivileges privileges = plan.only(Step.SetPrivileges.class);
        int kept = privileges.bounding().list().size();
        return String.format(
                Locale.ROOT,
                "keeps %s inside its own user namespace; drops %d%s",
                privileges.bounding(),
                Capability.values().length - kept,
                privileges.uid() == 0 ? "" : "; none effective for user " + privileges.uid());
    }

    private String filter() {
        return plan.all(Step.InstallFilter.class).stream()
                .findFirst()
                .map(install -> "seccomp " + install.program().summary()
                        + (install.early() ? ", put on before the privileges are dropped" : ""))
                .orElse("no system call filter");
    }
}
