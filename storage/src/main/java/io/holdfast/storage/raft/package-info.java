/**
 * The disk of a replicated group: its log of entries and the file with its term and vote. It knows
 * nothing of elections or of the engine that holds them.
 */
package io.holdfast.storage.raft;
