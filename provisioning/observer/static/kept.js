// What this browser remembers of its reader's choices. Where site data is denied (private windows, frames in other
// sites) nothing is remembered, and the page works all the same.

export function kept(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Denied, or full.
  }
}
