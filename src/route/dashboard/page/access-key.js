const STORED_AS = 'airouter-key';

/** The key of this tab, which goes with it; none is sent to a router that asks for none. */
export const accessKey = () => sessionStorage.getItem(STORED_AS);

/**
 * Asks for a key where the router does.
 *
 * @param {() => void} onChange
 * @returns {{ show: (isAsked: boolean) => void }}
 */
export function accessForm(onChange) {
  const form = /** @type {HTMLFormElement} */ (document.querySelector('#access'));
  const input = /** @type {HTMLInputElement} */ (form.querySelector('input'));
  const forget = /** @type {HTMLButtonElement} */ (document.querySelector('#forget'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    sessionStorage.setItem(STORED_AS, input.value.trim());
    input.value = '';
    onChange();
  });
  forget.addEventListener('click', () => {
    sessionStorage.removeItem(STORED_AS);
    location.reload();
  });
  return {
    show(isAsked) {
      if (form.hidden === isAsked) form.hidden = !isAsked;
      forget.hidden = accessKey() === null;
    },
  };
}
