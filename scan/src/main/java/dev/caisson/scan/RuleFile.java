package dev.caisson.scan;

import dev.caisson.scan.toml.Toml;
import dev.caisson.scan.toml.TomlSyntaxException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/// A file of rules in the format of gitleaks: `[[rules]]` with `id`, `description`, `regex`,
/// `secretGroup`, `entropy`, `keywords`, `path` and `allowlists`, and allow lists for all rules. Our
/// own files say more of a rule: `remedy`, `check` and `anchored`, and in `good` and `bad` samples for
/// its test.
record RuleFile(
        List<Expression> expressions, List<Allowance> allowances, boolean extendsDefaults, Set<String> disabled) {
    /// Any characters, as few as possible or not.
    private static final Pattern ANY = Pattern.compile("^(?:\\(\\.\\*\\??\\)|\\.\\*\\??)(?![?*+{])");
    private static final String REMEDY =
            "revoke it where it was issued, make a new one, and hand that over as a secret at run time";
    private static final int MOST_RULES = 2000;

    /// Reads a document.
    /// @param own if it is one of ours
    /// @throws ScanException RULES_INVALID if it is not understood
    static RuleFile parse(String text, boolean own) {
        Map<String, Object> document;
        try {
            document = Toml.parse(text);
        } catch (TomlSyntaxException e) {
            throw invalid(e.sentence(), e);
        }
        List<Expression> expressions = new ArrayList<>();
        for (Map<?, ?> rule : tables(document, "rules")) {
            Entry entry = new Entry(rule, "a rule without id");
            entry = new Entry(rule, "rule " + entry.text("id").orElseThrow(() -> invalid("a rule has no id")));
            if (entry.text("regex").isPresent()) {
                expressions.add(expression(entry, own));
            }
        }
        if (expressions.size() > MOST_RULES) {
            throw invalid("it has " + expressions.size() + " rules and may have " + MOST_RULES);
        }
        var extend = new Entry(document.get("extend") instanceof Map<?, ?> map ? map : Map.of(), "extend");
        if (extend.text("path").isPresent() || extend.text("url").isPresent()) {
            throw invalid("extend names another file: put its rules into this one");
        }
        return new RuleFile(
                List.copyOf(expressions),
                allowances(document, "the file"),
                extend.map().get("useDefault") instanceof Boolean on && on,
                Set.copyOf(extend.texts("disabledRules")));
    }

    /// Returns these rules and those of another file, which replace rules of the same id and may
    /// disable others.
    RuleFile with(RuleFile other) {
        Set<String> gone = new HashSet<>(other.disabled);
        other.expressions.forEach(expression -> gone.add(expression.rule().id()));
        return new RuleFile(
                Stream.concat(
                                expressions.stream()
                                        .filter(expression ->
                                                !gone.contains(expression.rule().id())),
                                other.expressions.stream())
                        .toList(),
                Stream.concat(allowances.stream(), other.allowances.stream()).toList(),
                false,
                Set.of());
    }

    private static Expression expression(Entry entry, boolean own) {
        String id = entry.text("id").orElseThrow();
        String regex = GoExpression.toJava(entry.text("regex").orElseThrow());
        if (!own) {
            entry.compiled(regex);
        }
        List<String> keywords = entry.texts("keywords").stream()
                .map(word -> word.toLowerCase(Locale.ROOT))
                .filter(word -> !word.isEmpty())
                .toList();
        Optional<Beginning> beginning = own ? Optional.empty() : Beginning.of(regex, keywords);
        boolean anchored = entry.map().get("anchored") instanceof Boolean said && said;
        return new Expression(
                new LeakRule(
                        id,
                        entry.text("description").orElse(id),
                        entry.text("remedy").orElse(REMEDY)),
                keywords,
                new LazyPattern(beginning.map(Beginning::expression).orElse(regex)),
                (int) entry.number("secretGroup"),
                entry.number("entropy"),
                anchored || beginning.isPresent(),
                beginning.flatMap(Beginning::assignment),
                Run.of(regex),
                entry.text("check")
                        .map(name -> Verification.named(name).orElseThrow(() -> invalid("there is no check " + name)))
                        .orElse(Verification.FORM),
                entry.text("path").map(entry::found),
                allowances(entry.map(), "rule " + id),
                own);
    }

    /// Lists of what is allowed, by both names that the format has had for them.
    private static List<Allowance> allowances(Map<?, ?> map, String owner) {
        return Stream.of("allowlist", "allowlists")
                .flatMap(name -> tables(map, name).stream())
                .map(table -> allowance(new Entry(table, "an allow list of " + owner)))
                .toList();
    }

    private static Allowance allowance(Entry entry) {
        return new Allowance(
                entry.texts("paths").stream().map(entry::found).toList(),
                entry.texts("regexes").stream().map(entry::found).toList(),
                switch (entry.text("regexTarget").orElse("secret")) {
                    case "match" -> Allowance.Target.MATCH;
                    case "line" -> Allowance.Target.LINE;
                    default -> Allowance.Target.SECRET;
                },
                entry.texts("stopwords"),
                entry.texts("commits").stream()
                        .filter(commit -> commit.matches("[0-9a-f]{12,64}"))
                        .map(commit -> commit.substring(0, 12))
                        .toList(),
                entry.texts("targetRules"),
                entry.text("condition").filter("AND"::equalsIgnoreCase).isPresent());
    }

    private static List<Map<?, ?>> tables(Map<?, ?> map, String name) {
        Object value = map.get(name);
        List<Map<?, ?>> tables = new ArrayList<>();
        if (value instanceof Map<?, ?> one) {
            tables.add(one);
        } else if (value instanceof List<?> all) {
            all.forEach(item -> {
                if (item instanceof Map<?, ?> table) {
                    tables.add(table);
                } else {
                    throw invalid(name + " is no list of tables");
                }
            });
        }
        return tables;
    }

    /// A table, with a name for messages.
    private record Entry(Map<?, ?> map, String name) {
        Optional<String> text(String key) {
            return map.get(key) instanceof String text ? Optional.of(text) : Optional.empty();
        }

        double number(String key) {
            return map.get(key) instanceof Number number ? number.doubleValue() : 0;
        }

        List<String> texts(String key) {
            return map.get(key) instanceof List<?> all
                    ? all.stream()
                            .filter(String.class::isInstance)
                            .map(String.class::cast)
                            .toList()
                    : List.of();
        }

        /// Compiles an expression that is only asked whether it matches anywhere. Any characters at its beginning say
        /// nothing then, and would be tried from each place to each end.
        Pattern found(String expression) {
            return compiled(ANY.matcher(GoExpression.toJava(expression)).replaceFirst(""));
        }

        Pattern compiled(String expression) {
            try {
                return Pattern.compile(expression, Pattern.UNIX_LINES);
            } catch (PatternSyntaxException e) {
                throw invalid(name + " has an expression that is not understood: " + e.getDescription(), e);
            }
        }
    }

    private static ScanException invalid(String problem) {
        return new ScanException(ScanException.Code.RULES_INVALID, "the rules are not valid: " + problem);
    }

    private static ScanException invalid(String problem, Throwable cause) {
        return new ScanException(ScanException.Code.RULES_INVALID, "the rules are not valid: " + problem, cause);
    }
}
