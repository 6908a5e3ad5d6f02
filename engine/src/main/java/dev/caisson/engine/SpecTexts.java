package dev.caisson.engine;

import dev.caisson.secret.SecretStore;
import dev.caisson.secret.StoredText;
import dev.caisson.secret.TextSieve;
import dev.caisson.spec.ContainerSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The texts of a wish for a container that end in files, listings and lists of processes, where no value
/// of a secret may stand.
final class SpecTexts {
    private static final int SHORTEST_VALUE = 8;

    private record Placed(String place, String instead, String text) {}

    private final List<Placed> all = new ArrayList<>();

    private SpecTexts() {}

    /// Returns none, for a container that was created before.
    static SpecTexts none() {
        return new SpecTexts();
    }

    /// @param health the command that checks its health
    static SpecTexts of(ContainerSpec spec, Optional<List<String>> health) {
        var texts = new SpecTexts();
        spec.environment()
                .forEach((name, value) ->
                        texts.add("the variable " + name, "give --secret NAME,env=" + name + " in its place", value));
        texts.addAll("the command", spec.command());
        spec.entrypoint().ifPresent(words -> texts.addAll("the entrypoint", words));
        health.ifPresent(words -> texts.addAll("the health check", words));
        spec.labels()
                .forEach((name, value) -> texts.add("the label " + name, "take it out: everybody may read it", value));
        return texts;
    }

    private void addAll(String place, List<String> words) {
        for (int i = 0; i < words.size(); i++) {
            add(
                    "word " + (i + 1) + " of " + place,
                    "give --secret NAME, and have the program read the file that NAME_FILE names",
                    words.get(i));
        }
    }

    private void add(String place, String instead, String text) {
        if (text.length() >= SHORTEST_VALUE) {
            all.add(new Placed(place, instead, text));
        }
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    /// True if no text can have a value.
    boolean noneIn(TextSieve sieve) {
        return all.stream().noneMatch(placed -> sieve.mayHold(placed.text()));
    }

    /// @throws EngineException SECRET_IN_SPEC if one has a stored value
    void requireClean(SecretStore store) {
        StoredText.find(store, all.stream().map(Placed::text).toList()).ifPresent(found -> {
            Placed text = all.get(found.text());
            throw new EngineException(
                    "SECRET_IN_SPEC",
                    text.place() + " has the value of the secret " + found.secret() + ", "
                            + found.form().words() + ": " + text.instead());
        });
    }
}
