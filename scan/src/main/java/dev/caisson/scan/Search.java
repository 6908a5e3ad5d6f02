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
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Searches passages for the secrets of a set of rules: one pass for all keywords, then the expressions
/// of those that were met, each where its keyword stands. One thread uses it at a time.
final class Search {
    /// No match is longer, but what an expression of somebody else's finds.
    static final int LONGEST = 16 * 1024;

    private static final int BEFORE = 128;
    private static final int OWN_BEFORE = 512;
    private static final int AFTER = 512;
    /// Keywords that stand closer to each other are those of a text that has hardly anything else.
    private static final int DENSE = 32;
    private static final int ESCAPED_REGION = 2048;
    private static final int LEAST_ESCAPED = 16;
    private static final int MOST_FOUND = 10_000;
    private final RuleSet rules;
    private final Instant now;
    private final KnownValues known;
    private final @Nullable Matcher[] matchers;
    /// Where each expression has to go on in the passage.
    private final int[] done;
    /// True for each matcher that is over the passage's text.
    private final boolean[] current;
    private final Steps steps;
    private int found;
    private final List<Candidate> candidates = new ArrayList<>();
    /// Known values that stand in this passage.
    private final List<Candidate> stored = new ArrayList<>();
    private final List<int[]> escaped = new ArrayList<>();
    private final ArrayDeque<Passage> decoded = new ArrayDeque<>();

    private Passage passage = new Passage("", new byte[0], 0, 0, 0, new Lines());
    private @Nullable String text;
    private @Nullable BoundedText bounded;

    Search(RuleSet rules, Instant now, KnownValues known) {
        this.known = known;
        this.rules = rules;
        this.now = now;
        int count = rules.expressions().size();
        matchers = new Matcher[count];
        done = new int[count];
        current = new boolean[count];
        steps = new Steps(rules.expressions());
    }

    /// Another file begins.
    void begin() {
        steps.begin();
        found = 0;
    }

    /// True if the file has so many findings that nobody reads more.
    boolean isFull() {
        return found >= MOST_FOUND;
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
        find(next, sink);
        if (next.mayDecode()) {
            decode();
        }
        for (Candidate candidate : told()) {
            if (!isFull()) {
                found++;
                sink.found(leak(candidate));
            }
        }
    }

    /// Finds the secrets of a passage, those that it decodes to left out.
    List<Candidate> direct(Passage next, ScanSink sink) {
        find(next, sink);
        return told();
    }

    private void find(Passage next, ScanSink sink) {
        passage = next;
        text = null;
        bounded = null;
        candidates.clear();
        stored.clear();
        escaped.clear();
        Arrays.fill(done, 0);
        Arrays.fill(current, false);
        steps.grant(next.length());
        int from = Math.max(0, next.from() - LONGEST / 4);
        int to = Math.min(next.length(), next.to() + LONGEST / 4);
        rules.keywords().search(next.bytes(), from, to, (word, end) -> hit(word, end, sink));
        for (Expression expression : rules.everywhere()) {
            everywhere(expression, sink);
        }
        known.search(
                next.bytes(),
                next.from(),
                Math.min(next.length(), next.to() + LONGEST),
                (name, form, readable, start, end) -> stored.add(Candidate.known(name, form, start, end)));
    }

    /// Returns the candidates that are this passage's, in their order; of those that overlap the one
    /// that says most.
    private List<Candidate> told() {
        name();
        candidates.sort(Comparator.comparingInt(Candidate::from)
                .thenComparing(found -> found.rule().id()));
        List<Candidate> told = new ArrayList<>();
        for (Candidate candidate : candidates) {
            if (told.isEmpty() || !told.getLast().overlaps(candidate)) {
                told.add(candidate);
            } else if (candidate.tellsMoreThan(told.getLast())) {
                told.set(told.size() - 1, candidate);
            }
        }
        return told.stream()
                .filter(candidate -> candidate.from() >= passage.from() && candidate.from() < passage.to())
                .toList();
    }

    /// Names the candidates that are known values; known values that are no candidate become one.
    private void name() {
        candidates.replaceAll(found -> stored.stream()
                .filter(found::overlaps)
                .findFirst()
                .map(found::as)
                .orElse(found));
        stored.sort(Comparator.comparingInt(Candidate::from).thenComparingInt(found -> -found.to()));
        for (Candidate value : stored) {
            if (candidates.stream().noneMatch(value::overlaps)) {
                candidates.add(value);
            }
        }
    }

    /// Adds what a stretch decodes to. Known values that it shows are not reported of the stretch as
    /// well.
    private void decoded(Passage next, int from, int to) {
        boolean[] shows = new boolean[1];
        known.search(next.bytes(), 0, next.length(), (name, form, readable, start, end) -> shows[0] = true);
        if (shows[0]) {
            stored.removeIf(value -> value.from() < to && from < value.to());
        }
        decoded.add(next);
    }

    private void decode() {
        candidates.sort(Comparator.comparingInt(Candidate::from));
        int next = 0;
        for (int[] region : escaped) {
            while (next < candidates.size() && candidates.get(next).to() <= region[0]) {
                next++;
            }
            if (next == candidates.size() || candidates.get(next).from() >= region[1]) {
                byte[] plain = Encodings.escapes(passage.bytes(), region[0], region[1]);
                decoded(passage.decoded(plain, plain.length, region[0], "escapes"), region[0], region[1]);
            }
        }
        for (EncodedParts.Part part : EncodedParts.of(passage)) {
            Passage plain = passage.decoded(part.plain(), part.plain().length, part.from(), part.encoding());
            decoded(plain, part.from(), part.to());
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
        if (isUnassigned(expression, end)
                || (expression.anchored() ? start : end) < done[index]
                || isWithinWord(expression, start)
                || !expression.isFor(passage.source())
                || !steps.areLeft(index)) {
            return;
        }
        if (expression.anchored()) {
            int to = Math.min(passage.length(), start + LONGEST);
            tried(index, sink, matcher -> {
                if (matcher.region(start, to).lookingAt()) {
                    done[index] = matcher.end();
                    matched(expression, matcher);
                }
            });
        } else {
            int from = Math.max(done[index], start - (expression.own() ? OWN_BEFORE : BEFORE));
            int to = Math.min(passage.length(), end + AFTER);
            if (expression.run().isEmpty() || expression.run().get().isWithin(passage.bytes(), from, to)) {
                tried(index, sink, matcher -> around(index, matcher, from, start, to));
            }
            if (expression.own()) {
                done[index] = Math.max(done[index], start + 1);
            }
        }
    }

    /// Tries an expression with the steps that it has left.
    private void tried(int index, ScanSink sink, Consumer<Matcher> way) {
        BoundedText over = bounded();
        steps.lend(index, over);
        try {
            way.accept(matcher(index, over));
        } catch (BoundedText.Exhausted | StackOverflowError e) { // each repetition of a group takes stack
            steps.exhausted(index, over).ifPresent(why -> sink.skipped(passage.source(), why));
        } finally {
            steps.spend(index, over);
        }
    }

    /// True if a keyword that begins a token stands within a word: a long word of nothing but keywords
    /// would be read again from each of them.
    private boolean isWithinWord(Expression expression, int start) {
        return expression.own()
                && expression.anchored()
                && start > 0
                && isTokenByte(passage.bytes()[start])
                && isTokenByte(passage.bytes()[start - 1]);
    }

    private boolean isUnassigned(Expression expression, int end) {
        return expression.assignment().isPresent()
                && !expression.assignment().get().mayFollow(passage.bytes(), passage.length(), end);
    }

    private static boolean isTokenByte(byte b) {
        return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '_' || b == '-';
    }

    private void around(int index, Matcher matcher, int first, int start, int to) {
        Expression expression = rules.expressions().get(index);
        int from = first;
        while (from < to) {
            boolean dense = expression.own() && start - from < DENSE;
            boolean found = dense
                    ? starts(matcher, from, start, to)
                    : matcher.region(from, to).find();
            if (!found) {
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

    /// True if a match starts between `from` and `last`, both included. A match of one of our expressions
    /// holds its keyword, so that it starts no later than this.
    private static boolean starts(Matcher matcher, int from, int last, int to) {
        for (int at = from; at <= last; at++) {
            if (matcher.region(at, to).lookingAt()) {
                return true;
            }
        }
        return false;
    }

    private void everywhere(Expression expression, ScanSink sink) {
        if (!expression.isFor(passage.source())) {
            return;
        }
        tried(rules.expressions().indexOf(expression), sink, matcher -> {
            matcher.region(0, passage.length());
            while (matcher.find()) {
                matched(expression, matcher);
            }
        });
    }

    private Matcher matcher(int index, BoundedText over) {
        Matcher matcher = matchers[index];
        if (matcher == null) {
            matcher = rules.expressions().get(index).pattern().get().matcher(over);
            matcher.useTransparentBounds(true);
            matcher.useAnchoringBounds(false);
            matchers[index] = matcher;
        } else if (!current[index]) {
            matcher.reset(over);
        }
        current[index] = true;
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
                || isGenericWord(expression, value)
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

    /// A rule for anything under a name of secrets takes no value without a digit, as in gitleaks.
    private static boolean isGenericWord(Expression expression, String value) {
        return !expression.own()
                && expression.rule().id().startsWith("generic")
                && value.chars().noneMatch(Character::isDigit);
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
        String line = Allowance.line(all, matcher.start(), matcher.end());
        String match = all.substring(matcher.start(), matcher.end());
        return Stream.concat(expression.allowances().stream(), rules.allowances().stream())
                .anyMatch(allowance -> allowance.allows(expression.rule(), passage.source(), value, match, line));
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
        boolean isKnown = !found.known().isEmpty();
        Judgement judgement =
                isKnown ? found.judgement() : Circumstances.weighed(found.judgement(), passage, found.from());
        boolean guessable = isKnown || found.rule().id().endsWith("password");
        return new Leak(
                found.rule(),
                passage.place(found.from()),
                Masks.masked(found.value()),
                judgement.confidence(),
                judgement.reason(),
                guessable ? "" : Masks.mark(found.value()),
                found.known(),
                Remark.allows(passage.remarkAt(found.from()), found.rule(), now));
    }
}
