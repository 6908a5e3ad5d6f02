package dev.caisson.secret;

/// A form in which a value stands in other text.
public enum ValueForm {
    PLAIN("as it is"),
    /// A line of a value of several lines.
    LINE("a line of it"),
    /// Either alphabet, wherever the value begins in what was encoded.
    BASE64("in base 64"),
    HEX("in hexadecimal digits"),
    /// As in URLs and forms.
    PERCENT("with percent signs"),
    /// With the escapes of JSON, YAML and most programming languages.
    STRING("as a string"),
    /// Also HTML.
    XML("as XML"),
    /// Between single quotes of a shell.
    SHELL("as a word of a shell"),
    UTF16("in UTF-16");

    private final String words;

    ValueForm(String words) {
        this.words = words;
    }

    /// Returns words that follow a comma, such as `in base 64`.
    public String words() {
        return words;
    }
}
