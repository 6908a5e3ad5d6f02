package dev.caisson.hostaudit.checks;

import dev.caisson.audit.Subject;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.Facts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/// Compares what the engine says of containers with what the kernel does, over all checks.
public final class ClaimChecks {
    private ClaimChecks() {}

    /// Answers for each running container whether any check found the engine and the kernel to disagree.
    ///
    /// @param rules all checks but this one
    /// @param answersOf returns the answers of another check
    public static List<Answer> contradictions(
            List<HostRule> rules, Facts facts, Function<HostRule, List<Answer>> answersOf) {
        Map<Subject, List<Answer>> found = new TreeMap<>();
        Map<Subject, List<String>> names = new TreeMap<>();
        facts.containers().stream()
                .filter(ContainerFacts::running)
                .forEach(container -> found.put(Answer.subject(container), new ArrayList<>()));
        for (HostRule rule : rules) {
            if (!rule.check().id().startsWith("CSN-RT-")) {
                continue;
            }
            for (Answer answer : answersOf.apply(rule)) {
                if (answer.contradicts()) {
                    found.computeIfAbsent(answer.subject(), key -> new ArrayList<>())
                            .add(answer);
                    names.computeIfAbsent(answer.subject(), key -> new ArrayList<>())
                            .add(rule.check().name());
                }
            }
        }
        List<Answer> answers = new ArrayList<>();
        found.forEach((subject, contradictions) -> {
            if (contradictions.isEmpty()) {
                answers.add(Answer.pass(subject, "what the engine says is what the kernel does, as far as checked"));
                return;
            }
            Answer first = contradictions.getFirst();
            answers.add(Answer.fail(
                            subject,
                            "engine and kernel disagree on "
                                    + String.join(", ", names.getOrDefault(subject, List.of())))
                    .claim("API", first.claim().orElse("nothing"))
                    .truth("/proc", first.truth().orElse("nothing"))
                    .agreeing(false));
        });
        return answers;
    }
}
