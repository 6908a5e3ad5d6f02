package dev.caisson.cli.container;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.option.EgressText;
import dev.caisson.cli.option.GroupLimitOptions;
import dev.caisson.cli.option.GroupLimits;
import dev.caisson.cli.option.OptionList;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.RestartPolicy;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Limits;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/// `caisson update`: changes the limits, the restart policy and the reach of containers.
@Command(
        name = "update",
        sortOptions = false,
        description = "Change limits of containers and what they reach, at once and for later starts, and their restart"
                + " policy.",
        footer = {
            "%n  caisson update -m 2g --cpus 1.5 web",
            "  caisson update --restart on-failure:3 web",
            "  caisson update --egress api.example.com:443 web"
        })
public final class UpdateCommand extends ContainerCommand {
    @Option(
            names = "--restart",
            paramLabel = "POLICY",
            description = "no, on-failure[:COUNT], unless-stopped or always.")
    private @Nullable String restart;

    @Option(
            names = "--egress",
            paramLabel = EgressText.LABEL,
            description = "What it may send to outside of its networks; connections that are not allowed any more end.")
    private @Nullable String egress;

    @Option(names = "--egress-sni", description = EgressText.SNI_HELP)
    private boolean egressSni;

    @Option(
            names = "--network-bandwidth",
            paramLabel = "RATE|in=RATE,out=RATE|all",
            description = "How much it may receive and send on each network, in bits per second: 10mbit, or all.")
    private @Nullable String bandwidth;

    private final GroupLimitOptions limits = new GroupLimitOptions(false);
    private Optional<RestartPolicy> policy = Optional.empty();
    private Optional<Egress> reach = Optional.empty();
    private Optional<Bandwidth> rates = Optional.empty();

    /// The command as picocli knows it.
    public static CommandSpec spec() {
        var command = new UpdateCommand();
        CommandSpec spec = CommandSpec.forAnnotatedObject(command);
        command.limits.add(new OptionList(spec));
        return spec;
    }

    @Override
    void prepare() {
        limits.given().over(Limits.defaults()); // refuses what is malformed before anything is changed
        if (restart == null
                && egress == null
                && !egressSni
                && bandwidth == null
                && limits.given().isEmpty()) {
            throw CommandException.usage("you must provide one or more flags when using this command:"
                    + " --restart, --egress, --network-bandwidth, --memory, --cpus, --pids-limit or another limit");
        }
        if (limits.freesProcessorTime()) {
            throw CommandException.refused(
                    "--cpu-quota -1", "a limit of processor time can be changed, not taken away: give another one");
        }
        if (egressSni && egress == null) {
            throw EgressText.withoutList();
        }
        policy = Optional.ofNullable(restart).map(RestartPolicy::parse);
        reach = Optional.ofNullable(egress).map(text -> EgressText.parse(text, egressSni));
        rates = Optional.ofNullable(bandwidth).map(Bandwidth::parse);
    }

    @Override
    void act(String container, EngineOptions options) throws InterruptedException {
        DetachedContainer found = DetachedLookup.require(container, options);
        if (reach.isPresent()) {
            found.egress(reach.get());
        }
        if (rates.isPresent()) {
            found.networks().bandwidth(rates.get());
        }
        GroupLimits given = limits.given();
        if (!given.isEmpty() || policy.isPresent()) {
            found.update(given.isEmpty() ? UnaryOperator.identity() : given::over, policy);
        }
    }
}
