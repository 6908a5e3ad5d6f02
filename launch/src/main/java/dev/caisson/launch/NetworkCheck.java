package dev.caisson.launch;

import dev.caisson.launch.Verifier.Check;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.GuestSide;
import dev.caisson.network.HostCheck;
import dev.caisson.network.LinkSetting;
import dev.caisson.spec.InRootPath;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Compares the network namespace of a container that runs with its plan: links, rules of routing, settings, the packet
/// filter inside and the sockets of its resolver. A process of ours enters it, and sends out what is read here.
public final class NetworkCheck {
    private static final InRootPath PING = InRootPath.of("net/ipv4/ping_group_range");
    private static final String ALL_GROUPS = "0 2147483647";
    private static final Pattern OF_LINK = Pattern.compile("net/ipv[46]/(?:conf|neigh)/([^/]+)/.*");
    private static final Set<String> EVERY_LINK = Set.of("all", "default");
    private static final int MOST_OF_A_SETTING = 4096;
    /// 127.0.0.11, as proc_net_tcp(5) writes it.
    private static final String RESOLVER = "0B00007F";
    private static final String LISTENING = "0A";
    private static final String BOUND = "07";
    private static final int ADDRESS = 1;
    private static final int STATE = 3;

    private final LaunchPlan plan;

    public NetworkCheck(LaunchPlan plan) {
        this.plan = plan;
    }

    /// Returns the namespaces whose descriptors [#of] takes, in this order; none if the container's network is not its
    /// own.
    public List<Namespace> entered() {
        return plan.hasOwnNetwork() ? Namespace.inOrderOfEntry(plan.namespaces()) : List.of();
    }

    /// Compares it now.
    ///
    /// @param namespaces those of [#entered]
    /// @param stream what the process gets as its standard streams
    /// @param process `/proc/PID` of its process 1
    public List<Check> of(ExecLauncher launcher, List<Fd> namespaces, Fd stream, Fd process) {
        Map<InRootPath, String> settings = settings();
        List<Check> missing = takeMissing(settings, process);
        ExecPlan look = ExecPlan.look(plan, settings.keySet());
        Launched launched = launcher.enter(
                look,
                new ExecLauncher.Given(
                        Optional.empty(), List.of(), namespaces, List.of(stream, stream, stream), Optional.empty()));
        try {
            var checks = new ArrayList<>(missing);
            try (NetlinkSocket route = socket(look, launched, NetlinkProtocol.ROUTE);
                    NetlinkSocket filter = socket(look, launched, NetlinkProtocol.NETFILTER)) {
                var side = new GuestSide(route, filter);
                boolean ipv6 = Verifier.textIfThere(process, "net/if_inet6").isPresent();
                add(checks, side.links(links(), LinkCheck.FALLBACK, ipv6));
                settings.forEach((name, value) -> checks.add(setting(look, launched, name, value)));
                if (!plan.links().isEmpty()) { // else there is nobody to keep from anything
                    add(checks, side.filter(batches()));
                }
            }
            plan.all(Step.Resolver.class).forEach(resolver -> checks.add(resolver(resolver, process)));
            return checks;
        } finally {
            launched.abandon(); // it has said that all is done
        }
    }

    private static void add(List<Check> checks, List<HostCheck> found) {
        found.forEach(one -> checks.add(Check.of("network inside, " + one.subject(), one.planned(), one.found())));
    }

    private static NetlinkSocket socket(ExecPlan look, Launched launched, NetlinkProtocol protocol) {
        return NetlinkSocket.of(launched.takeLent(look.steps().indexOf(new Step.LendNetlink(protocol))));
    }

    private List<GuestSide.PlannedLink> links() {
        return plan.links().stream()
                .map(link -> new GuestSide.PlannedLink(link.guest(), link.mac(), link.mtu()))
                .toList();
    }

    /// Returns the settings of the network that the plan makes, each as it is at last.
    private Map<InRootPath, String> settings() {
        Map<InRootPath, String> settings = new LinkedHashMap<>();
        plan.all(Step.SetSysctl.class).stream()
                .filter(set -> set.name().relative().startsWith("net/"))
                .forEach(set -> settings.put(set.name(), set.value()));
        return settings;
    }

    /// Takes out the settings of links that are not there any more, and returns what is said of them: their files are
    /// gone
    /// too, and the process that enters could not open them.
    private static List<Check> takeMissing(Map<InRootPath, String> settings, Fd process) {
        Set<String> links = Verifier.textIfThere(process, "net/dev").stream()
                .flatMap(String::lines)
                .filter(line -> line.contains(":"))
                .map(line -> line.substring(0, line.indexOf(':')).strip())
                .collect(Collectors.toSet());
        var missing = new ArrayList<Check>();
        settings.entrySet().removeIf(setting -> {
            String name = setting.getKey().relative();
            Matcher ofLink = OF_LINK.matcher(name);
            boolean isMissing =
                    ofLink.matches() && !EVERY_LINK.contains(ofLink.group(1)) && !links.contains(ofLink.group(1));
            if (isMissing) {
                missing.add(Check.of("network inside, setting " + name, words(setting.getValue()), "missing"));
            }
            return isMissing;
        });
        return missing;
    }

    private Check setting(ExecPlan look, Launched launched, InRootPath name, String value) {
        String found;
        try (Fd file = launched.takeLent(look.steps().indexOf(new Step.LendSysctl(name)))) {
            found = words(ByteText.of(FileSystem.read(file, MOST_OF_A_SETTING)));
        } catch (ErrnoException e) {
            found = "unreadable (" + e.getMessage() + ")";
        }
        String subject = "network inside, setting " + name.relative();
        if (!name.equals(PING)) {
            return Check.of(subject, words(value), found);
        }
        // the kernel tells groups as the reader's user namespace has them
        String planned = Arrays.stream(words(value).split(" ", -1))
                .map(group -> Long.toString(plan.ids().base() + Long.parseLong(group)))
                .collect(Collectors.joining(" "));
        return found.equals(ALL_GROUPS)
                ? new Check(subject, planned, "all groups, as for who shares this network", true)
                : Check.of(subject, planned, found);
    }

    private static String words(String text) {
        return text.strip().replaceAll("\\s+", " ");
    }

    private List<byte[]> batches() {
        return plan.all(Step.Netlink.class).stream()
                .filter(step -> step.protocol() == NetlinkProtocol.NETFILTER)
                .map(step -> step.requests().bytes())
                .toList();
    }

    /// Looks at the sockets themselves: the network namespace has a list of them.
    static Check resolver(Step.Resolver planned, Fd process) {
        String found = (has(process, "net/udp", planned.udpPort(), BOUND) ? "udp " + planned.udpPort() : "no udp")
                + (has(process, "net/tcp", planned.tcpPort(), LISTENING) ? ", tcp " + planned.tcpPort() : ", no tcp");
        return Check.of("network inside, sockets of a resolver", text(planned), "127.0.0.11, " + found);
    }

    /// Returns the sockets of a resolver, for people.
    static String text(Step.Resolver resolver) {
        return "127.0.0.11, udp " + resolver.udpPort() + ", tcp " + resolver.tcpPort();
    }

    private static boolean has(Fd process, String file, int port, String state) {
        String socket = RESOLVER + ":" + String.format(Locale.ROOT, "%04X", port);
        return Verifier.text(process, file)
                .lines()
                .map(line -> line.strip().split("\\s+", -1))
                .anyMatch(columns ->
                        columns.length > STATE && columns[ADDRESS].equals(socket) && columns[STATE].equals(state));
    }

    /// Returns the addresses and routes that a step gives links, for people.
    static String links(LaunchPlan plan, Step.Netlink step) {
        Map<Integer, String> names = plan.links().stream().collect(Collectors.toMap(Link::guestIndex, Link::guest));
        Map<String, List<String>> all = new LinkedHashMap<>();
        for (LinkSetting setting : LinkSetting.read(step.requests().bytes())) {
            all.computeIfAbsent(names.getOrDefault(setting.index(), "link " + setting.index()), _ -> new ArrayList<>())
                    .add(
                            switch (setting) {
                                case LinkSetting.Address address -> address.toString();
                                case LinkSetting.Route route -> "route to " + route;
                                case LinkSetting.Up _ -> "up";
                            });
        }
        return all.entrySet().stream()
                .map(link -> link.getKey() + " " + String.join(", ", link.getValue()))
                .collect(Collectors.joining("; "));
    }
}
