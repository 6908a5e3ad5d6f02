package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.text.Quoted;
import java.util.Locale;
import java.util.regex.Pattern;

/// The machine that an image was built for, in the words of the OCI image specification.
///
/// @param os `linux`
/// @param architecture GOARCH: `amd64`, `arm64`
/// @param variant of the architecture, `v7`; empty where it has none, or the usual one
public record Platform(String os, String architecture, String variant) {
    private static final Pattern WORD = Pattern.compile("[a-z0-9][a-z0-9_.-]{0,30}");

    /// The platform that runs here.
    public static Platform running() {
        return of("linux", System.getProperty("os.arch"), "");
    }

    /// Reads `OS/ARCHITECTURE[/VARIANT]`, `OS` or `ARCHITECTURE`, as Docker does; other usual names of machines too.
    /// @throws ImageException BAD_NAME
    public static Platform parse(String text) {
        String[] words = text.strip().toLowerCase(Locale.ROOT).split("/", -1);
        boolean isPlain = words.length <= 3;
        for (String word : words) {
            isPlain &= WORD.matcher(word).matches();
        }
        if (!isPlain) {
            throw new ImageException(
                    Code.BAD_NAME,
                    "platform " + Quoted.of(text) + " is not OS/ARCHITECTURE[/VARIANT]: write one, as linux/arm64");
        }
        if (words.length == 1) {
            return words[0].equals(running().os()) ? running() : of(running().os(), words[0], "");
        }
        return of(words[0], words[1], words.length == 3 ? words[2] : "");
    }

    private static Platform of(String os, String machine, String variant) {
        return switch (machine) {
            case "x86_64", "x86-64" -> new Platform(os, "amd64", variant);
            case "i386", "i686" -> new Platform(os, "386", variant);
            case "aarch64", "arm64" -> new Platform(os, "arm64", variant.equals("v8") ? "" : variant);
            case "arm", "armhf" -> new Platform(os, "arm", variant.isEmpty() ? "v7" : variant);
            case "armel" -> new Platform(os, "arm", variant.isEmpty() ? "v6" : variant);
            default -> new Platform(os, machine, variant);
        };
    }

    /// True if every machine of the running kind can run it: a variant above the first needs newer processors.
    public boolean runsHere() {
        return fits(running());
    }

    /// True if an image for this platform is one for `wanted`: of its variant, or of the first.
    public boolean fits(Platform wanted) {
        boolean isBasic = variant.isEmpty() || variant.equals("v1") || isPlainArm64();
        return os.equals(wanted.os())
                && architecture.equals(wanted.architecture())
                && (isBasic || variant.equals(wanted.variant()));
    }

    private boolean isPlainArm64() {
        return architecture.equals("arm64") && variant.equals("v8");
    }

    /// True if it is this kind of machine, of a variant that need not be here.
    boolean isOfThisMachine() {
        return architecture.equals(running().architecture());
    }

    @Override
    public String toString() {
        return os + "/" + architecture + (variant.isEmpty() ? "" : "/" + variant);
    }
}
