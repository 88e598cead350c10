package io.holdfast.tools.cli;

import java.io.InputStream;
import java.io.PrintStream;

/**
 * What a command has of the world outside: its streams and the request to stop. Commands take it in
 * their constructor, so that tests run them in process.
 *
 * @param in standard input
 * @param out results; nothing else goes there
 * @param err errors, progress and human summaries
 * @param stop ends the command
 * @param terminal whether {@code out} is a terminal that understands ANSI sequences
 * @param settings what the user has set for all commands
 */
public record ToolContext(
    InputStream in,
    PrintStream out,
    PrintStream err,
    StopSignal stop,
    boolean terminal,
    Settings settings) {}
