/**
 * What every command has of the command line: its streams and settings, the request to stop, words
 * for quantities and failures, exit codes.
 */
package io.holdfast.tools.cli;
