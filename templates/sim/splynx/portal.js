// The portal's own dialogs: action links open in an iframe modal, as in Splynx.
(function () {
  'use strict';
  var dialog = document.getElementById('portal-dialog');
  var frame = document.getElementById('portal-dialog-frame');
  var opener = null;

  function open(url, size) {
    opener = document.activeElement;
    dialog.querySelector('.modal-dialog').className = 'modal-dialog ' + (size || 'large');
    frame.src = '/portal/' + url;
    dialog.hidden = false;
    dialog.querySelector('.close').focus();
  }

  function close() {
    dialog.hidden = true;
    frame.removeAttribute('src');
    if (opener) { opener.focus(); }
    // What was paid in the modal shows on the page.
    location.reload();
  }

  // Called by the code of add-ons with 'add-on--action-link-modal?module=…&name=…&id=…'.
  window.open_portal_dialog = function (url) { open(url, 'medium'); };

  document.querySelectorAll('a.operation').forEach(function (link) {
    link.addEventListener('click', function (event) {
      event.preventDefault();
      var query = new URLSearchParams({ module: link.dataset.module, name: link.dataset.name, id: link.dataset.id });
      open('add-on--action-link-modal?' + query, link.dataset.size);
    });
  });
  dialog.querySelectorAll('[data-dismiss]').forEach(function (button) { button.addEventListener('click', close); });
  document.addEventListener('keydown', function (event) {
    if (event.key === 'Escape' && !dialog.hidden) { close(); }
  });
}());
