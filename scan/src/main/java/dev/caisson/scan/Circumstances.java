package dev.caisson.scan;

import dev.caisson.scan.match.Keywords;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Weighs where a secret was found: in tests and examples most are made up.
final class Circumstances {
    private static final Pattern TEST = Pattern.compile(
            "(?i)(?:^|[/!])(?:[\\w.-]*[_.-])?(?:tests?|testdata|testing|fixtures?|examples?|samples?|mocks?|demos?|specs?|__tests__)(?:[_.-][\\w.-]*)?/"
                    + "|(?:Test|Tests|TestCase|IT|_test|\\.test|\\.spec|-example|\\.example|\\.sample|\\.dist)\\.?\\w{0,6}$");

    private static final Keywords EXPLAINING = new Keywords(Stream.of(
                    "example",
                    "e.g.",
                    "for instance",
                    "ietf.org/",
                    "rfc 2",
                    "rfc 5",
                    "rfc 6",
                    "rfc 7",
                    "rfc 8",
                    "rfc 9",
                    ">>> ")
            .map(word -> word.getBytes(StandardCharsets.US_ASCII))
            .toList());
    private static final int BEFORE = 1500;
    private static final int BEHIND = 300;

    private Circumstances() {}

    /// Weighs a judgement.
    /// @param passage that the secret is in
    /// @param from where in it the secret starts
    static Judgement weighed(Judgement judgement, Passage passage, int from) {
        if (TEST.matcher(passage.source()).find()) {
            return lower(judgement, "it stands in a test or an example");
        }
        return judgement.confidence() == Confidence.POSSIBLE && isExplained(passage, from)
                ? lower(judgement, "the text around it explains something")
                : judgement;
    }

    private static Judgement lower(Judgement judgement, String why) {
        Confidence lower = judgement.confidence() == Confidence.LIKELY || judgement.confidence() == Confidence.CERTAIN
                ? Confidence.POSSIBLE
                : Confidence.UNLIKELY;
        return new Judgement(lower, judgement.reason() + "; " + why);
    }

    /// True if the text around speaks of examples or of a standard.
    private static boolean isExplained(Passage passage, int at) {
        int from = Math.max(0, at - BEFORE);
        int to = Math.min(passage.length(), at + BEHIND);
        boolean[] found = new boolean[1];
        EXPLAINING.search(passage.bytes(), from, to, (word, end) -> found[0] = true);
        return found[0];
    }
}
