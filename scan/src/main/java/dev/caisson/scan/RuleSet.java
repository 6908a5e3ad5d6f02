package dev.caisson.scan;

import dev.caisson.scan.match.Keywords;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The rules that a scanner looks for, and their keywords in one automaton.
public final class RuleSet {
    /// Random values under names of secrets; its matcher is code and no expression.
    static final LeakRule ASSIGNED = new LeakRule(
            "assigned-secret",
            "random value assigned to a name of secrets",
            "take the value out of the file, hand it over as a secret at run time, and replace it where it is used");

    /// Values that the caller knows and no rule has found.
    static final LeakRule STORED = new LeakRule(
            "stored-secret",
            "value of the store of secrets",
            "rotate the secret, and see how its value got here: a container gets it by --secret");

    private static final List<String> NAME_WORDS = List.of(
            "pass",
            "pwd",
            "secret",
            "token",
            "apikey",
            "api_key",
            "api-key",
            "access_key",
            "access-key",
            "accesskey",
            "private_key",
            "privatekey",
            "encryption_key",
            "encryptionkey",
            "signing_key",
            "signingkey",
            "master_key",
            "masterkey",
            "auth_key",
            "authkey",
            "jwt_key",
            "app_key",
            "api.key",
            "access.key",
            "private.key",
            "encryption.key",
            "encryption-key",
            "signing.key",
            "signing-key",
            "master.key",
            "master-key",
            "auth.key",
            "auth-key",
            "credential");
    /// Starts of escapes of characters from `%20` on: whoever hides a whole value writes many of them.
    private static final List<String> ESCAPES = Stream.of("%", "\\x", "\\u00")
            .flatMap(start -> Stream.of("2", "3", "4", "5", "6", "7").map(digit -> start + digit))
            .toList();

    private static final class OwnRules {
        private static final RuleSet INSTANCE = new RuleSet(RuleFile.parse(text(), true), true);

        private static String text() {
            try (InputStream in = RuleSet.class.getResourceAsStream("rules.toml")) {
                if (in == null) {
                    throw new IllegalStateException("rules.toml is missing from the module");
                }
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private final RuleFile file;
    private final Keywords keywords;
    private final List<byte[]> words;
    private final int[][] rulesOf;
    private final int firstName;
    private final int firstEscape;
    private final List<Expression> everywhere;

    private RuleSet(RuleFile file, boolean assignments) {
        this.file = file;
        Map<String, List<Integer>> byWord = new LinkedHashMap<>();
        List<Expression> expressions = file.expressions();
        for (int rule = 0; rule < expressions.size(); rule++) {
            for (String word : expressions.get(rule).keywords()) {
                byWord.computeIfAbsent(word, key -> new ArrayList<>()).add(rule);
            }
        }
        List<String> all = new ArrayList<>(byWord.keySet());
        rulesOf = byWord.values().stream()
                .map(rules -> rules.stream().mapToInt(Integer::intValue).toArray())
                .toArray(int[][]::new);
        firstName = all.size();
        if (assignments) {
            all.addAll(NAME_WORDS);
        }
        firstEscape = all.size();
        all.addAll(ESCAPES);
        words = all.stream().map(word -> word.getBytes(StandardCharsets.UTF_8)).toList();
        keywords = new Keywords(words);
        everywhere = expressions.stream()
                .filter(expression -> expression.keywords().isEmpty())
                .toList();
    }

    /// Returns Caisson's own rules.
    public static RuleSet own() {
        return OwnRules.INSTANCE;
    }

    /// Returns the rules of a file in gitleaks' format, in the place of Caisson's own; or with these,
    /// if the file extends the default ones.
    /// @throws ScanException RULES_INVALID if it is not understood
    public static RuleSet of(String toml) {
        RuleFile file = RuleFile.parse(toml, false);
        return file.extendsDefaults() ? new RuleSet(own().file.with(file), true) : new RuleSet(file, false);
    }

    /// Returns all rules in the order of their file.
    public List<LeakRule> rules() {
        Stream<LeakRule> named = firstEscape > firstName ? Stream.of(ASSIGNED, STORED) : Stream.of(STORED);
        return Stream.concat(file.expressions().stream().map(Expression::rule), named)
                .toList();
    }

    List<Expression> expressions() {
        return file.expressions();
    }

    List<Expression> everywhere() {
        return everywhere;
    }

    List<Allowance> allowances() {
        return file.allowances();
    }

    Keywords keywords() {
        return keywords;
    }

    int length(int word) {
        return words.get(word).length;
    }

    /// Returns the indexes of the rules that a keyword belongs to.
    int[] rulesOf(int word) {
        return rulesOf[word];
    }

    boolean isName(int word) {
        return word >= firstName && word < firstEscape;
    }

    boolean isEscape(int word) {
        return word >= firstEscape;
    }

    Optional<Expression> expression(String id) {
        return file.expressions().stream()
                .filter(expression -> expression.rule().id().equals(id))
                .findFirst();
    }
}
