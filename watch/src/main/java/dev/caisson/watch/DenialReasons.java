package dev.caisson.watch;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.KernelText;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Compiler;
import dev.caisson.seccomp.Explainer;
import dev.caisson.seccomp.Explanation;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.FilterExplainer;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.seccomp.SeccompException;
import dev.caisson.seccomp.Target;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Tells which rule or capability would have allowed a call in a container of another engine, whose filter can be read,
/// but not the profile that it was made from. A profile is asked only about calls that it decides as the filter did;
/// else the filter's instructions are.
public final class DenialReasons {
    /// Paths of Podman's profile. Docker's own is built into it, and much the same.
    private static final List<Path> DEFAULTS =
            List.of(Path.of("/etc/containers/seccomp.json"), Path.of("/usr/share/containers/seccomp.json"));

    private static final int MOST_BYTES = 4 << 20;

    private final String source;
    private final Optional<Explainer> explainer;

    private DenialReasons(String source, Optional<Explainer> explainer) {
        this.source = source;
        this.explainer = explainer;
    }

    /// Returns the reasons for a container that was started with a profile.
    /// @param source what the profile is called
    /// @param pid of its program, whose capabilities rules can ask for
    public static DenialReasons of(String source, Profile profile, int pid) {
        return new DenialReasons(source, Optional.of(new Explainer(profile, target(pid))));
    }

    /// Returns the reasons for a container whose profile is unknown: Caisson's own if its filter was made from it, else
    /// the default profile of this host.
    /// @param pid of its program, whose capabilities rules can ask for
    /// @throws WatchException HOST_PROCESS for a process that is in no container
    public static DenialReasons ofHost(int pid) {
        PidNamespace.ofContainer(pid, "watched", ""); // before it is stopped to be read
        List<Filter> filters = LiveFilters.of(pid).filters();
        if (isMadeFrom(Profile.standard(), pid, filters)) {
            return of("Caisson's default profile", Profile.standard(), pid);
        }
        if (isMadeFrom(Profile.strict(), pid, filters)) {
            return of("Caisson's strict profile", Profile.strict(), pid);
        }
        for (Path file : DEFAULTS) {
            try (var in = Files.newInputStream(file)) {
                String json = new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8);
                return of(file.toString(), Profile.parse(json), pid);
            } catch (IOException | SeccompException e) {
                // the filter tells what it can
            }
        }
        return new DenialReasons("the filter", Optional.empty());
    }

    private static boolean isMadeFrom(Profile profile, int pid, List<Filter> filters) {
        Filter made = Compiler.compile(profile, target(pid));
        List<byte[]> programs = List.of(made.bytes(), made.asking().bytes());
        return filters.stream()
                .anyMatch(filter -> programs.stream().anyMatch(program -> Arrays.equals(program, filter.bytes())));
    }

    private static Target target(int pid) {
        return new Target(Architecture.host(), KernelVersion.parse(System.getProperty("os.version")), bounding(pid));
    }

    /// Returns the source of the reasons, if it decides as the filter did.
    public String source() {
        return source;
    }

    private static long bounding(int pid) {
        try {
            for (String line : KernelText.lines(ByteText.read(Path.of("/proc/" + pid + "/status")))
                    .toList()) {
                if (line.startsWith("CapBnd:")) {
                    return Long.parseUnsignedLong(
                            line.substring(line.indexOf(':') + 1).strip(), 16);
                }
            }
        } catch (IOException e) {
            throw new WatchException("CONTAINER_ENDED", "the process " + pid + " does not run", e);
        }
        return 0;
    }

    Explanation explain(SeccompData call, Filter filter) {
        Action action = filter.decide(call);
        return explainer
                .map(profiles -> profiles.explain(call))
                .filter(explanation -> explanation.action().equals(action))
                .orElseGet(() -> new FilterExplainer(filter).explain(call));
    }
}
