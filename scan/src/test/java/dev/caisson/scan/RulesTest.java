package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.scan.toml.Toml;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Every rule of ours finds its good samples and none of its bad ones.
class RulesTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final int ROUNDS = 20;

    private final LeakScanner scanner = new LeakScanner(RuleSet.own(), NOW);

    private static List<Map<?, ?>> rules() throws IOException {
        try (InputStream in = RuleSet.class.getResourceAsStream("rules.toml")) {
            Map<String, Object> document = Toml.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            List<Map<?, ?>> rules = new ArrayList<>();
            if (document.get("rules") instanceof List<?> all) {
                all.forEach(rule -> rules.add((Map<?, ?>) rule));
            }
            return rules;
        }
    }

    private static String id(Map<?, ?> rule) {
        return String.valueOf(rule.get("id"));
    }

    private static List<String> samples(Map<?, ?> rule, String key) {
        return rule.get(key) instanceof List<?> all
                ? all.stream().map(String.class::cast).toList()
                : List.of();
    }

    @Test
    void there_are_many_rules_each_with_samples_of_both_kinds() throws IOException {
        assertThat(rules()).hasSizeGreaterThanOrEqualTo(100).allSatisfy(rule -> {
            assertThat(samples(rule, "good")).as("good samples of " + id(rule)).isNotEmpty();
            assertThat(samples(rule, "bad")).as("bad samples of " + id(rule)).isNotEmpty();
            assertThat(samples(rule, "keywords")).as("keywords of " + id(rule)).isNotEmpty();
            assertThat(String.valueOf(rule.get("remedy"))).doesNotEndWith(".");
        });
    }

    @Test
    void ids_are_unique() throws IOException {
        var ids = new HashSet<String>();
        assertThat(rules()).allMatch(rule -> ids.add(id(rule)));
    }

    @Test
    void good_samples_are_found() throws IOException {
        var missed = new ArrayList<String>();
        for (Map<?, ?> rule : rules()) {
            for (String template : samples(rule, "good")) {
                for (int round = 0; round < ROUNDS; round++) {
                    String sample = new Samples(round).fill(template);
                    if (found(sample).stream().noneMatch(id(rule)::equals)) {
                        missed.add(id(rule) + ": " + template + ": " + sample + " gives " + found(sample));
                        break;
                    }
                }
            }
        }
        assertThat(missed).isEmpty();
    }

    @Test
    void bad_samples_are_not_found() throws IOException {
        var wrong = new ArrayList<String>();
        for (Map<?, ?> rule : rules()) {
            for (String template : samples(rule, "bad")) {
                String sample = new Samples(1).fill(template);
                if (found(sample).stream().anyMatch(id(rule)::equals)) {
                    wrong.add(id(rule) + ": " + sample);
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    private List<String> found(String text) {
        return scanner.scan("a.txt", text).stream()
                .map(leak -> leak.rule().id())
                .toList();
    }
}
