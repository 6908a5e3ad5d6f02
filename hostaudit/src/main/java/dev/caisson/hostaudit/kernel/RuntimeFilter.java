package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.ContainerFacts.Filter;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.ProfileEvaluator;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.seccomp.SeccompException;
import dev.caisson.seccomp.Target;
import dev.caisson.text.MalformedJsonException;
import io.avaje.jsonb.Jsonb;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The system call filter that the low-level runtime was told to set: the bundle's `config.json`, in the
/// working directory of the shim that watches the container. `Seccomp: 2` in `/proc` says that there is a
/// filter, not that it forbids anything.
final class RuntimeFilter {
    /// Nearly all containers of a host have the same profile.
    private static final String PROFILE = "\"seccomp\":{";
    private static final int MOST_KNOWN = 64;
    private static final Map<String, List<String>> KNOWN =
            Collections.synchronizedMap(new LinkedHashMap<>(MOST_KNOWN, 1, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, List<String>> eldest) {
                    return size() > MOST_KNOWN;
                }
            });

    /// A runtime's profile has no conditions on the kernel's release any more.
    private static final KernelVersion ANY = KernelVersion.parse("6.0");

    private RuntimeFilter() {}

    static Filter of(long shim, String id) {
        Optional<Path> bundle = Proc.link(Proc.of(shim).resolve("cwd")).map(Path::of);
        Optional<String> text = bundle.filter(directory -> directory.endsWith(id))
                // through the shim's own root, wherever this process has the host's
                .flatMap(directory -> Proc.text(Proc.of(shim).resolve("cwd/config.json")));
        if (text.isEmpty()) {
            return Filter.unknown("the bundle that the runtime was given was not found");
        }
        Path file = bundle.get().resolve("config.json");
        try {
            return new Filter(file.toString(), "", ofBundle(text.get()));
        } catch (MalformedJsonException | SeccompException e) {
            return Filter.unknown(file + " is not understood: " + e.getMessage());
        }
    }

    /// The profile is most of a bundle's text, and the same in nearly all: only one of its kind is parsed.
    private static List<String> ofBundle(String bundle) {
        int start = bundle.indexOf(PROFILE);
        int end = start < 0 ? -1 : end(bundle, start + PROFILE.length() - 1);
        if (end < 0) {
            return allowed(Tree.parse(bundle).at("linux", "seccomp"));
        }
        return KNOWN.computeIfAbsent(
                bundle.substring(start + PROFILE.length() - 1, end), profile -> judged(Tree.parse(profile)));
    }

    /// Returns the end of the object that begins at `start`, or -1. Quotes in a string are escaped, so that
    /// no string looks like a key.
    private static int end(String json, int start) {
        int depth = 0;
        for (int at = start; at < json.length(); at++) {
            char c = json.charAt(at);
            if (c == '"') {
                for (at++; at < json.length() && json.charAt(at) != '"'; at++) {
                    at += json.charAt(at) == '\\' ? 1 : 0;
                }
            } else if (c == '{') {
                depth++;
            } else if (c == '}' && --depth == 0) {
                return at + 1;
            }
        }
        return -1;
    }

    /// Dangerous calls that a profile lets through with most arguments; all of them where there is no profile.
    /// @throws SeccompException if it is no profile
    static List<String> allowed(Tree profile) {
        return profile.present() ? judged(profile) : DangerousCalls.ALL;
    }

    private static List<String> judged(Tree profile) {
        String json = Jsonb.instance().type(Object.class).toJson(profile.value());
        var evaluator = new ProfileEvaluator(Profile.parse(json), new Target(Architecture.host(), ANY, Set.of()));
        return DangerousCalls.open(
                (number, arguments) -> evaluator.decide(SeccompData.of(Architecture.host(), number, arguments)));
    }
}
