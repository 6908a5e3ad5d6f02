package dev.caisson.build;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.build.ExpansionBudget;
import dev.caisson.containerfile.build.Substitution;
import dev.caisson.containerfile.dockerfile.Word;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The variables of a stage: those of `ENV` and those of `ARG`, which `ENV` hides.
final class Scope {
    /// Build arguments that a `RUN` has without an `ARG`, and that make no other image.
    static final Set<String> PROXIES = Set.of(
            "HTTP_PROXY",
            "http_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "FTP_PROXY",
            "ftp_proxy",
            "NO_PROXY",
            "no_proxy",
            "ALL_PROXY",
            "all_proxy");

    private final Map<String, String> given;
    private final Map<String, String> globals;
    private final Map<String, String> environment;
    private final Map<String, String> arguments = new TreeMap<>();
    private final char escape;
    private final ExpansionBudget budget;
    private @Nullable Map<String, String> variables;

    /// @param given build arguments from outside
    /// @param globals those of before the first `FROM`, and the predefined ones of the platform
    /// @param environment of the base image
    /// @param budget of the whole file
    Scope(
            Map<String, String> given,
            Map<String, String> globals,
            Map<String, String> environment,
            char escape,
            ExpansionBudget budget) {
        this.given = given;
        this.globals = globals;
        this.environment = new LinkedHashMap<>(environment);
        this.escape = escape;
        this.budget = budget;
    }

    /// Sets variables, as `ENV` does.
    /// @return how many there are now
    int environment(Map<String, String> more) {
        environment.putAll(more);
        variables = null;
        return environment.size();
    }

    /// Declares an argument.
    /// @param value its default, expanded; null for none
    void declare(String name, @Nullable String value) {
        String known = given.getOrDefault(name, value == null ? globals.get(name) : value);
        if (known != null) {
            arguments.put(name, known);
            variables = null;
        }
    }

    @Nullable
    String value(String name) {
        String set = environment.get(name);
        return set == null ? arguments.get(name) : set;
    }

    /// Returns the arguments that a program sees, by name.
    Map<String, String> arguments() {
        return Collections.unmodifiableMap(arguments);
    }

    /// Returns the variables of a program, without those of proxies. Programs with the same ones share them.
    Map<String, String> variables() {
        Map<String, String> known = variables;
        if (known == null) {
            var all = new LinkedHashMap<String, String>(arguments);
            all.putAll(environment);
            known = Collections.unmodifiableMap(all);
            variables = known;
        }
        return known;
    }

    /// Returns the variables of a program.
    Map<String, String> variablesWithProxies() {
        var all = new LinkedHashMap<String, String>();
        for (String name : PROXIES) {
            String value = given.get(name);
            if (value != null) {
                all.put(name, value);
            }
        }
        all.putAll(variables());
        return all;
    }

    /// Replaces variables in a word as it is written, and takes its quotes off.
    String expand(Word word) {
        return expand(word.raw(), word.place());
    }

    String expand(String raw, Place place) {
        return checked(place, () -> Substitution.expand(raw, escape, this::value));
    }

    /// Replaces variables in the text of a here-document.
    String expandText(String text, Place place) {
        return checked(place, () -> Substitution.expandText(text, this::value));
    }

    private interface Expansion {
        Substitution.Expanded run();
    }

    private String checked(Place place, Expansion expansion) {
        Substitution.Expanded expanded;
        try {
            expanded = expansion.run();
            budget.use(expanded.value().length());
        } catch (ContainerFileException e) {
            throw e.place().isPresent() ? e : new ContainerFileException(e.error(), place, e.problem());
        }
        if (!expanded.required().isEmpty()) {
            throw new BuildException(
                    "BUILD_ARGUMENT",
                    place,
                    "a variable has no value (" + String.join(", ", expanded.required())
                            + "): give it with --build-arg");
        }
        return expanded.value();
    }
}
