package io.holdfast.storage;

/**
 * A message that a channel holds outside the backend, as the ledger remembers it.
 *
 * @param ref the message, with its attempts so far
 * @param dueMs when it may be delivered, wall clock ms since 1970; 0 for now
 */
public record HeldMessage(MessageRef ref, long dueMs) {}
