/**
 * Commands that work on a data directory: dump, summary, verify, import, export. They look through
 * {@code io.holdfast.storage}'s read-only views and never write to the directory they look at.
 */
package io.holdfast.tools.data;
