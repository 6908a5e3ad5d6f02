package dev.caisson.scan;

import dev.caisson.scan.decode.Encodings;
import dev.caisson.scan.match.Placeholders;
import dev.caisson.scan.match.Randomness;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Searches passages for the secrets of a set of rules: one pass for all keywords, then the expressions of those that
/// were met, each where its keyword stands. One thread uses it at a time.
final class Search {
    /// No match is longer, but what an expression of somebody else's finds.
    static final int LONGEST = 16 * 1024;

    private static final int BEFORE = 128;
    private static final int AFTER = 512;
    private static final int ESCAPED_REGION = 2048;
    private static final int LEAST_ESCAPED = 16;
    /// An expression that ran out of steps so often is not tried again in the file.
    private static final int EXHAUSTED = 3;

    private final RuleSet rules;
    private final Instant now;
    private final @Nullable Matcher[] matchers;
    private final int[] done;
    private final int[] exhausted;
    private final List<Candidate> candidates = new ArrayList<>();
    private final List<int[]> escaped = new ArrayList<>();
    private final ArrayDeque<Passage> decoded = new ArrayDeque<>();

    private Passage passage = new Passage("", new byte[0], 0, 0, 0, new Lines(), Optional.empty());
    private @Nullable String text;
    private @Nullable BoundedText bounded;

    Search(RuleSet rules, Instant now) {
        this.rules = rules;
        this.now = now;
        int count = rules.expressions().size();
        matchers = new Matcher[count];
        done = new int[count];
        exhausted = new int[count];
    }

    /// Another file begins.
    void begin() {
        Arrays.fill(exhausted, 0);
    }

    /// Searches a passage and all that it decodes to.
    void search(Passage first, ScanSink sink) {
        decoded.add(first);
        while (!decoded.isEmpty()) {
            one(decoded.remove(), sink);
        }
        text = null;
        bounded = null;
        candidates.clear();
    }

    private void one(Passage next, ScanSink sink) {
        passage = next;
        text = null;
        bounded = null;
        candidates.clear();
        escaped.clear();
        Arrays.fill(done, 0);
        int from = Math.max(0, next.from() - LONGEST / 4);
        int to = Math.min(next.length(), next.to() + LONGEST / 4);
        rules.keywords().search(next.bytes(), from, to, (word, end) -> hit(word, end, sink));
        for (Expression expression : rules.everywhere()) {
            everywhere(expression, sink);
        }
        if (next.mayDecode()) {
            decode();
        }
        candidates.sort(Comparator.comparingInt(Candidate::from));
        for (Candidate candidate : candidates) {
            boolean here = candidate.from() >= next.from() && candidate.from() < next.to();
            if (here && candidates.stream().noneMatch(other -> hides(other, candidate))) {
                sink.found(leak(candidate));
            }
        }
    }

    private static boolean hides(Candidate other, Candidate candidate) {
        return other.overlaps(candidate)
                && (other.tellsMoreThan(candidate)
                        || (!candidate.tellsMoreThan(other)
                                && other.rule().id().compareTo(candidate.rule().id()) < 0));
    }

    private void decode() {
        for (int[] region : escaped) {
            if (candidates.stream().noneMatch(found -> found.from() < region[1] && region[0] < found.to())) {
                byte[] plain = Encodings.escapes(passage.bytes(), region[0], region[1]);
                decoded.add(passage.decoded(plain, plain.length, region[0], "escapes"));
            }
        }
        for (EncodedParts.Part part : EncodedParts.of(passage)) {
            decoded.add(passage.decoded(part.plain(), part.plain().length, part.from(), part.encoding()));
        }
    }

    private void hit(int word, int end, ScanSink sink) {
        if (rules.isEscape(word)) {
            escape(end - rules.length(word));
        } else if (rules.isName(word)) {
            Assignments.at(passage.bytes(), passage.length(), end)
                    .ifPresent(value -> candidates.add(new Candidate(
                            RuleSet.ASSIGNED,
                            true,
                            value.from(),
                            value.to(),
                            value.text(),
                            new Judgement(Confidence.POSSIBLE, "a random value stands under a name of secrets"))));
        } else {
            for (int rule : rules.rulesOf(word)) {
                keyword(rule, end - rules.length(word), end, sink);
            }
        }
    }

    private void keyword(int index, int start, int end, ScanSink sink) {
        Expression expression = rules.expressions().get(index);
        if (exhausted[index] >= EXHAUSTED
                || (expression.anchored() ? start : end) < done[index]
                || expression
                        .path()
                        .filter(path -> !path.matcher(passage.source()).find())
                        .isPresent()) {
            return;
        }
        Matcher matcher = matcher(index, expression);
        try {
            if (expression.anchored()) {
                matcher.region(start, Math.min(passage.length(), start + LONGEST));
                if (matcher.lookingAt()) {
                    done[index] = matcher.end();
                    matched(expression, matcher);
                }
            } else {
                around(index, expression, matcher, start, end);
            }
        } catch (BoundedText.Exhausted e) {
            tooSlow(index, expression, sink);
        }
    }

    private void tooSlow(int index, Expression expression, ScanSink sink) {
        if (++exhausted[index] == EXHAUSTED) {
            sink.skipped(
                    passage.source(),
                    "the expression of rule " + expression.rule().id() + " takes too many steps");
        }
    }

    private void around(int index, Expression expression, Matcher matcher, int start, int end) {
        int to = Math.min(passage.length(), end + AFTER);
        int from = Math.max(done[index], start - BEFORE);
        while (from < to) {
            matcher.region(from, to);
            if (!matcher.find()) {
                return;
            }
            if (matcher.end() == to && to < passage.length()) {
                matcher.region(matcher.start(), Math.min(passage.length(), to + LONGEST));
                if (!matcher.lookingAt()) {
                    return;
                }
            }
            from = Math.max(matcher.end(), matcher.start() + 1);
            done[index] = from;
            matched(expression, matcher);
        }
    }

    private void everywhere(Expression expression, ScanSink sink) {
        if (expression
                .path()
                .filter(path -> !path.matcher(passage.source()).find())
                .isPresent()) {
            return;
        }
        int index = rules.expressions().indexOf(expression);
        Matcher matcher = matcher(index, expression);
        matcher.region(0, passage.length());
        try {
            while (exhausted[index] < EXHAUSTED && matcher.find()) {
                matched(expression, matcher);
            }
        } catch (BoundedText.Exhausted e) {
            tooSlow(index, expression, sink);
        }
    }

    private Matcher matcher(int index, Expression expression) {
        CharSequence over = expression.own() ? text() : bounded();
        Matcher matcher = matchers[index];
        if (matcher == null) {
            matcher = expression.pattern().get().matcher(over);
            matcher.useTransparentBounds(true);
            matcher.useAnchoringBounds(false);
            matchers[index] = matcher;
        } else if (done[index] == 0) {
            matcher.reset(over);
        }
        return matcher;
    }

    private String text() {
        String known = text;
        if (known == null) {
            known = new String(passage.bytes(), 0, passage.length(), StandardCharsets.ISO_8859_1);
            text = known;
        }
        return known;
    }

    private BoundedText bounded() {
        BoundedText known = bounded;
        if (known == null) {
            known = new BoundedText(text());
            bounded = known;
        }
        known.refill();
        return known;
    }

    private void matched(Expression expression, Matcher matcher) {
        int group = expression.group();
        for (int i = 1; group == 0 && i <= matcher.groupCount(); i++) {
            group = matcher.start(i) >= 0 && matcher.end(i) > matcher.start(i) ? i : 0;
        }
        if (group > matcher.groupCount() || matcher.start(group) < 0) {
            return;
        }
        String value = text().substring(matcher.start(group), matcher.end(group));
        boolean random = expression.entropy() <= 0 || Randomness.entropy(value) > expression.entropy();
        if (!random
                || (expression.own() && isPlaceholder(expression, value))
                || isAllowed(expression, matcher, value)) {
            return;
        }
        int from = matcher.start(group);
        int to = matcher.end(group);
        expression
                .verification()
                .judge(value, now)
                .ifPresent(judgement ->
                        candidates.add(new Candidate(expression.rule(), false, from, to, value, judgement)));
    }

    /// A key that parses is none, whatever its digits spell.
    private static boolean isPlaceholder(Expression expression, String value) {
        return expression.verification() != Verification.PEM && Placeholders.isPlaceholder(value);
    }

    private boolean isAllowed(Expression expression, Matcher matcher, String value) {
        if (expression.allowances().isEmpty() && rules.allowances().isEmpty()) {
            return false;
        }
        String all = text();
        int lineFrom = all.lastIndexOf('\n', Math.max(0, matcher.start() - 1)) + 1;
        int lineTo = all.indexOf('\n', matcher.end());
        String line = all.substring(Math.min(lineFrom, matcher.start()), lineTo < 0 ? all.length() : lineTo);
        String match = all.substring(matcher.start(), matcher.end());
        return Stream.concat(expression.allowances().stream(), rules.allowances().stream())
                .anyMatch(allowance -> allowance.allows(passage.source(), value, match, line));
    }

    /// Remembers the region around an escape, up to blanks and quotes.
    private void escape(int at) {
        byte[] bytes = passage.bytes();
        if (!passage.mayDecode()
                || Encodings.escapeLength(bytes, at, passage.length()) == 0
                || (!escaped.isEmpty() && at < escaped.getLast()[1])) {
            return;
        }
        int from = at;
        int least = Math.max(escaped.isEmpty() ? 0 : escaped.getLast()[1], at - ESCAPED_REGION);
        while (from > least && isInRegion(bytes[from - 1])) {
            from--;
        }
        int to = at;
        int most = Math.min(passage.length(), at + 2 * ESCAPED_REGION);
        while (to < most && isInRegion(bytes[to])) {
            to++;
        }
        if (to - from >= LEAST_ESCAPED && from < passage.to() && to > passage.from()) {
            escaped.add(new int[] {from, to});
        }
    }

    private static boolean isInRegion(byte b) {
        return b > ' ' && b != '"' && b != '\'' && b != '`';
    }

    private Leak leak(Candidate found) {
        Judgement judgement = Circumstances.weighed(found.judgement(), passage.source());
        boolean guessable = found.rule().id().endsWith("password");
        return new Leak(
                found.rule(),
                passage.place(found.from()),
                Masks.masked(found.value()),
                judgement.confidence(),
                judgement.reason(),
                guessable ? "" : Masks.mark(found.value()));
    }
}
