package dev.caisson.cli.template;

/// What a template has printed so far, up to a bound.
final class Output {
    private static final int MOST = 16 << 20;

    private final StringBuilder text = new StringBuilder();

    void print(String part) {
        if (text.length() + part.length() > MOST) {
            throw new TemplateException("--format prints more than " + MOST + " characters: ask for less");
        }
        text.append(part);
    }

    String text() {
        return text.toString();
    }
}
