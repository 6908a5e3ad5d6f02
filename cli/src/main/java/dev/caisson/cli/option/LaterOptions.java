package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Docker's options of commands for containers that this version does not have: refused by name, with what to do.
public final class LaterOptions {
    private static final String ATTACHED = "nothing is attached here: give it to 'caisson run', 'start' or 'attach'";
    private static final String LETTER =
            "-a attaches, in 'caisson run' and 'start', and lists all, in 'ps'; here it means nothing";
    private static final String WINDOWS = "it is an option of Docker for Windows";
    private static final String REGISTRY = "images are compared with their digests; signatures are not looked at";
    private static final String REAL_TIME = "real-time processor time is not given to containers";
    private static final Map<String, String> REASONS = new HashMap<>();

    static {
        put("a link has its link-local address of itself", "--link-local-ip");
        put("the size of what a container has written is in 'caisson ps -s' and 'caisson system df'", "--size", "-s");
        put("a log has what the program wrote alone: labels are in 'caisson inspect'", "--details");
        put("a link goes with 'caisson network disconnect', which takes the container off the network", "--link", "-l");
        put("nothing reads a container's memory as a whole in this version", "--checkpoint", "--checkpoint-dir");
        put("nothing more is shown here: 'caisson ps -a' lists what has ended", "--all");
        put("nothing is cut short here: leave it out", "--no-trunc");
        put(WINDOWS, "--cpu-count", "--cpu-percent", "--io-maxbandwidth", "--io-maxiops", "--isolation");
        put(REGISTRY, "--disable-content-trust");
        put("nothing is printed of an image that is at hand: leave it out", "-q", "--quiet");
        put(REAL_TIME, "--cpu-rt-runtime", "--cpu-rt-period");
        put("volumes are of one driver, local: leave it out", "--volume-driver");
        put("there is no OCI runtime below that would read it: use --label", "--annotation");
        put(LETTER, "-a");
        put(ATTACHED, "--attach", "--sig-proxy", "--detach-keys");
        put("give the whole name with --hostname", "--domainname");
        put("the socket of an engine is root on the host, and is not given to containers", "--use-api-socket");
        put("give the device nodes of the driver, each with --device", "--gpus");
        put("a container always has its own process ids", "--pid");
        put("a container always has its own user namespace", "--userns");
        put("a container always has its own cgroup namespace", "--cgroupns");
        put("the kernel counts its own memory for a container with --memory: use that", "--kernel-memory");
        put("Caisson is the runtime", "--runtime");
    }

    private LaterOptions() {}

    private static void put(String reason, String... options) {
        for (String option : options) {
            REASONS.put(option, reason);
        }
    }

    /// Returns why an unknown option is refused; empty if Docker has none of that name.
    public static Optional<CommandException> refusal(String argument) {
        return refusal(argument, REASONS);
    }

    /// Returns why an unknown option is refused.
    /// @param reasons by the name of the option
    public static Optional<CommandException> refusal(String argument, Map<String, String> reasons) {
        int equals = argument.indexOf('=');
        String option = equals < 0 ? argument : argument.substring(0, equals);
        return name(option, reasons).map(name -> CommandException.refused(name, reasons.getOrDefault(name, "")));
    }

    /// Returns an unknown letter among several behind one dash, as in -dit or -p80:80.
    private static Optional<String> name(String option, Map<String, String> reasons) {
        if (reasons.containsKey(option)) {
            return Optional.of(option);
        }
        if (!option.matches("-[a-zA-Z].+")) {
            return Optional.empty();
        }
        int letters = option.matches("-[a-zA-Z]+") ? option.length() : 2;
        for (int i = 1; i < letters; i++) {
            if (reasons.containsKey("-" + option.charAt(i))) {
                return Optional.of("-" + option.charAt(i));
            }
        }
        return Optional.empty();
    }
}
