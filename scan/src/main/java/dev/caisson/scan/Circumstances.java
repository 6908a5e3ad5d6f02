package dev.caisson.scan;

import java.util.regex.Pattern;

/// Weighs where a secret was found: in tests and examples most are made up.
final class Circumstances {
    private static final Pattern TEST = Pattern.compile(
            "(?i)(?:^|[/!])(?:[\\w.-]*[_.-])?(?:tests?|testdata|testing|fixtures?|examples?|samples?|mocks?|demos?|specs?|__tests__)(?:[_.-][\\w.-]*)?/"
                    + "|(?:Test|Tests|TestCase|IT|_test|\\.test|\\.spec|-example|\\.example|\\.sample|\\.dist)\\.?\\w{0,6}$");

    private Circumstances() {}

    static Judgement weighed(Judgement judgement, String source) {
        if (!TEST.matcher(source).find()) {
            return judgement;
        }
        Confidence lower = judgement.confidence() == Confidence.LIKELY || judgement.confidence() == Confidence.CERTAIN
                ? Confidence.POSSIBLE
                : Confidence.UNLIKELY;
        return new Judgement(lower, judgement.reason() + "; it stands in a test or an example");
    }
}
