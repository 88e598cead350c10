/**
 * Configuration: one table of options, and what is made of it.
 *
 * <p>{@link io.holdfast.broker.config.OptionTable} lists every option once. Flag parsing, the TOML
 * file, {@code --help}, the start-up log and the values of {@code /config} all read that table, so
 * they cannot disagree. {@link io.holdfast.broker.config.OptionsLoader} turns arguments into a
 * {@link io.holdfast.broker.config.Parsed} and never exits or throws; {@code Main} acts on the
 * result.
 *
 * <p>Names, defaults and the reading of values are nsqd's (contract §8), with one difference: an
 * unknown key in the file is an error. A durable broker must not guess what a misspelt {@code
 * sync_evry} meant.
 *
 * <p>Everything here is immutable and free of threads, but for {@link
 * io.holdfast.broker.config.Logging}.
 */
package io.holdfast.broker.config;
