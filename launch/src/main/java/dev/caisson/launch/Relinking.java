package dev.caisson.launch;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Gives the plan of a container that exists other networks: all else of it stays as it was planned.
public final class Relinking {
    private static final InRootPath HOSTS = InRootPath.of("etc/hosts");
    private static final InRootPath RESOLVER = InRootPath.of("etc/resolv.conf");
    private static final InRootPath HOST_NAME = InRootPath.of("etc/hostname");
    /// The first setting that is not of a link.
    private static final InRootPath FIRST_SETTING = InRootPath.of("net/ipv4/ping_group_range");

    private final GuestNetwork network;
    private final ContainerSpec spec;

    public Relinking(GuestNetwork network, ContainerSpec spec) {
        this.network = network;
        this.spec = spec;
    }

    /// Reads the plan with the words of its program from where its monitor has it.
    ///
    /// @param recorded the same plan without these
    /// @param wire its wire form
    /// @throws HostException PLAN_UNKNOWN if it is not of this version
    public static LaunchPlan whole(LaunchPlan recorded, Fd wire) {
        byte[] bytes = new byte[Math.toIntExact(Math.min(FileSystem.status(wire).size(), PlanCodec.MAX_BYTES))];
        int length = FileContent.readAt(wire, bytes, 0);
        try {
            LaunchPlan plan = recorded.with(PlanDecoder.steps(Arrays.copyOf(bytes, length)));
            if (Arrays.equals(PlanCodec.encode(plan), bytes)) {
                return plan;
            }
            throw new IllegalArgumentException("not written as this version does");
        } catch (IllegalArgumentException e) {
            throw new HostException(
                    "PLAN_UNKNOWN",
                    "the container was planned by another Caisson, which alone can change its networks: create it"
                            + " again",
                    e);
        }
    }

    /// Returns the plan with the new networks.
    public LaunchPlan of(LaunchPlan plan) {
        String hostName = hostName(plan);
        var steps = new ArrayList<Step>();
        boolean ofLinks = true;
        for (Step step : plan.steps()) {
            switch (step) {
                case Step.WriteFile file
                when file.path().equals(HOSTS) ->
                    steps.add(new Step.WriteFile(file.mode(), HOSTS, network.hosts(spec, hostName)));
                case Step.WriteFile file
                when file.path().equals(RESOLVER) ->
                    steps.add(new Step.WriteFile(file.mode(), RESOLVER, network.resolver(spec)));
                case Step.SetSysctl setting -> {
                    if (setting.name().equals(FIRST_SETTING)) {
                        steps.addAll(network.settledLinks(spec));
                        ofLinks = false;
                    }
                    if (!ofLinks) {
                        steps.add(setting);
                    }
                }
                case Step.RaiseLoopback loopback -> {
                    steps.add(loopback);
                    steps.addAll(network.requests(spec));
                }
                case Step.AwaitLink _, Step.Netlink _, Step.AskGateway _, Step.Resolver _ -> {}
                default -> steps.add(step);
            }
        }
        var relinked = new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), plan.slots(), network.links(), steps);
        PlanRules.verify(relinked);
        return relinked;
    }

    private static String hostName(LaunchPlan plan) {
        List<Step.WriteFile> written = plan.all(Step.WriteFile.class).stream()
                .filter(file -> file.path().equals(HOST_NAME))
                .toList();
        return written.isEmpty()
                ? plan.only(Step.SetHostName.class).name()
                : written.getFirst().content().strip();
    }
}
