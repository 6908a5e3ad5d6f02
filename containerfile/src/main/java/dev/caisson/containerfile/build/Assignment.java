package dev.caisson.containerfile.build;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.LogicalText;
import dev.caisson.containerfile.dockerfile.Word;
import dev.caisson.containerfile.dockerfile.WordSplitter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A `name=value` of `ENV`, `LABEL` or `ARG`.
/// @param value the right-hand side with its quotes; absent for an `ARG` without a default
/// @param place both sides
public record Assignment(Word name, Optional<Word> value, Place place) {
    /// Those of `ENV` and `LABEL`, in the old form too: `ENV name the rest of the line`.
    public static List<Assignment> pairs(Keyword keyword, LogicalText text, char escape) {
        WordSplitter words = new WordSplitter(text, escape);
        if (!words.next()) {
            return List.of();
        }
        Word first = words.word();
        if (first.raw().indexOf('=') < 0) {
            LogicalText rest = text.slice(words.end(), text.length()).strip();
            if (rest.length() == 0) {
                throw new ContainerFileException(
                        FileError.DOCKERFILE_ARGUMENTS, first.place(), keyword + " " + first.raw() + " has no value.");
            }
            Word value = new Word(rest.text(), rest.text(), rest.place());
            return List.of(new Assignment(first, Optional.of(value), text.place()));
        }
        List<Assignment> pairs = new ArrayList<>();
        for (Word word : WordSplitter.split(text, escape)) {
            if (word.raw().indexOf('=') < 0) {
                throw new ContainerFileException(
                        FileError.DOCKERFILE_ARGUMENTS,
                        word.place(),
                        keyword + " needs name=value; " + word.raw() + " has no =.");
            }
            pairs.add(split(word));
        }
        return pairs;
    }

    /// Those of `ARG`, whose default may be missing.
    public static List<Assignment> arguments(LogicalText text, char escape) {
        return WordSplitter.split(text, escape).stream().map(Assignment::split).toList();
    }

    private static Assignment split(Word word) {
        int equals = word.raw().indexOf('=');
        if (equals < 0) {
            return new Assignment(word, Optional.empty(), word.place());
        }
        String name = word.raw().substring(0, equals);
        String value = word.raw().substring(equals + 1);
        String bare = name.replace("\"", "").replace("'", "");
        int valueStart = Math.min(word.place().end(), word.place().start() + equals + 1);
        Place valuePlace = word.place().source().place(valueStart, word.place().end());
        return new Assignment(
                new Word(bare, name, word.place()), Optional.of(new Word(value, value, valuePlace)), word.place());
    }
}
