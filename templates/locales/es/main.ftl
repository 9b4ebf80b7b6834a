# Todos los textos de las páginas.

direction = ltr
product = Complemento BitPay para Splynx
test-banner = Modo de prueba: no se mueve dinero real.

# Enlaces
back = Volver
back-portal = Volver al portal
back-invoices = Volver a mis facturas
back-proformas = Volver a mis facturas proforma
back-admin = Volver a Splynx
back-payments = Volver a mis pagos
back-config = Volver a la página de BitPay
log-in = Iniciar sesión
log-in-as-customer = Abrir la lista de clientes
try-again = Intentar de nuevo

# Pagar un documento
pay-title-invoice = Pagar la factura n.º { $number }
pay-title-proforma = Pagar la factura proforma n.º { $number }
pay-due-invoice = Importe pendiente
pay-due-proforma = Total de la factura proforma
pay-fee = Comisión de servicio
pay-sum = Total a pagar
pay-hint = Pagará en bitcoin en la página segura de BitPay. Allí se muestra el importe en bitcoin.
checkout-now = Pagar ahora

# Recargar el saldo
refill-title = Añadir dinero a su saldo
refill-amount = Importe
refill-limits = De { $minimum } a { $maximum }.
refill-fee = A este importe se añade una comisión de servicio del { $percent } %.
refill-pay = Pagar
amount-not-an-amount = Introduzca un importe en cifras, por ejemplo 25 o 25.50 (con punto decimal).
amount-too-precise = { $figure ->
    [0] Introduzca un importe entero, sin decimales.
    *[other] Introduzca como máximo { $figure } decimales.
}
amount-too-small = El importe mínimo es { $figure }.
amount-too-large = El importe máximo es { $figure }.

# Después del pago
result-for = Pago de
result-for-invoice = Factura n.º { $number }
result-for-proforma = Factura proforma n.º { $number }
result-for-top-up = Su saldo
result-sum = Importe
result-pay = Continuar con el pago
result-waiting-title = Esperando su pago
result-waiting-text = Todavía no hemos visto su pago. Esta página se actualiza sola.
result-confirming-title = Pago detectado
result-confirming-text = Su pago ha llegado a la red bitcoin y se está confirmando. Puede cerrar esta página.
result-settled-title = Pago recibido
result-settled-text = Su pago es definitivo y se está anotando en su cuenta. Puede cerrar esta página.
result-paid-title = ¡Pago realizado!
result-paid-text = Su pago está en su cuenta. Gracias.
result-expired-title = El plazo para pagar ha terminado
result-expired-text = El importe completo no llegó a tiempo. Si lo ha pagado todo, se abonará en cuanto llegue. Si ha pagado menos, BitPay se lo devuelve. Si no ha pagado, empiece de nuevo.
result-refused-title = Pago no aceptado
result-refused-text = El pago no fue aceptado. Si ha salido dinero de su monedero, contacte con su proveedor.

# La página del administrador
config-title = BitPay
config-done-paired = El token de acceso se ha generado correctamente.
config-done-unpaired = Los datos de BitPay se han restablecido correctamente.
config-failed = La vinculación no funcionó.
config-unpaired-test = No hay token de acceso para el entorno de prueba. Siga estas instrucciones:
config-unpaired-production = No hay token de acceso para el entorno de producción. Siga estas instrucciones:
config-step-1 = Inicie sesión en BitPay:
config-step-2 = Abra Payment Tools / Manage API Tokens.
config-step-3 = Pulse Add New Token; Require Authentication debe estar activado.
config-step-4 = Pulse Add Token; se genera un código de vinculación.
config-step-5 = Copie el código, péguelo abajo y pulse Vincular.
config-code = Código de vinculación
config-code-placeholder = Pegue aquí el código de vinculación...
config-code-hint = El código tiene este aspecto: u7m0VSR
config-pair = Vincular
config-mode = Modo
config-mode-test = Prueba
config-mode-production = Producción
config-processor = Dirección
config-token = Token de acceso
config-sin = ID de cliente
config-since = Vinculado desde
config-unpair = Desvincular
config-unpair-question = Los clientes no podrán empezar pagos nuevos hasta que vuelva a vincular. Los pagos ya empezados se siguen vigilando y abonando.
config-cancel = Cancelar
config-unpair-sure = Desvincular ahora

# Por qué no funcionó la vinculación
pairing-failed-not-a-code = Un código de vinculación tiene exactamente 7 letras y cifras, por ejemplo C4Lg7oW. Cópielo del panel en Payment Tools > Manage API Tokens > Add New Token.
pairing-failed-token-not-code = Esto es un token de API, no un código de vinculación. Un token sin «Require Authentication» se usa tal cual; en los demás casos introduzca el código de vinculación que se muestra a su lado.
pairing-failed-wrong-code-production = { $address } no aceptó el código de vinculación. Puede estar mal escrito, ya usado (un código sirve una sola vez), tener más de 24 horas o ser de otro sitio (los códigos de test.bitpay.com solo sirven con environment = "test"). Cree un código nuevo en el panel de { $address } en Payment Tools > Manage API Tokens > Add New Token e introdúzcalo enseguida. («{ $said }»)
pairing-failed-wrong-code-test = { $address } no aceptó el código de vinculación. Puede estar mal escrito, ya usado (un código sirve una sola vez), tener más de 24 horas o ser de otro sitio (los códigos de bitpay.com solo sirven con environment = "production"). Cree un código nuevo en el panel de { $address } en Payment Tools > Manage API Tokens > Add New Token e introdúzcalo enseguida. («{ $said }»)
pairing-failed-wrong-code-elsewhere = { $address } no aceptó el código de vinculación. Puede estar mal escrito, ya usado (un código sirve una sola vez), ser demasiado antiguo (24 horas; 15 minutos en un BTCPay Server) o ser de otro servidor. Cree allí un código nuevo e introdúzcalo enseguida. («{ $said }»)
pairing-failed-unapproved = { $address } dio un token que nadie ha aprobado todavía. Cree un código de vinculación en su panel en Payment Tools > Manage API Tokens > Add New Token, que no necesita aprobación, e introdúzcalo.
pairing-failed-account-not-set-up = La cuenta de comerciante en { $address } todavía no está lista. Inicie sesión en su panel, termine la configuración y vuelva a vincular. («{ $said }»)
pairing-failed-facade = Este código de vinculación es de un token que no puede cobrar. Cree uno en Payment Tools > Manage API Tokens > Add New Token, que da un token de punto de venta, e introdúzcalo. («{ $said }»)
pairing-failed-refused = { $address } dijo que no. Cree un código de vinculación nuevo en su panel; si también se rechaza, pregunte a su servicio de asistencia por estas palabras. («{ $said }»)
pairing-failed-not-sent = No se pudo llegar a { $address }: { $said }. El código de vinculación no se ha usado; inténtelo de nuevo con él.
pairing-failed-asked-to-wait = { $address } no miró el código de vinculación: { $said }. Espere unos minutos e inténtelo de nuevo con él.
pairing-failed-not-used = { $address } no ha aceptado el código ({ $said }). Inténtelo una vez más.
pairing-failed-unclear = { $address } no respondió con claridad ({ $said }). Vincule otra vez con el mismo código; si no funciona, cree uno nuevo.
pairing-failed-settings = La propia configuración del complemento no permite vincular. Compruébela con «splynx-bitpay doctor». («{ $said }»)

# Callejones sin salida
notice-bad-request-title = No se puede leer esta petición
notice-bad-request-text = Algo en la dirección o en el formulario está dañado. Vuelva atrás e inténtelo de nuevo.
notice-no-number-title = No se indicó ningún documento
notice-no-number-text = Elija en el portal la factura que quiere pagar.
notice-login-title = Inicie sesión
notice-login-text = No ha iniciado sesión o su sesión ha terminado. Inicie sesión e inténtelo de nuevo.
notice-admin-on-customer-page-title = Esta página es para clientes
notice-admin-on-customer-page-text = Ha iniciado sesión como administrador. Para ver esta página, abra el cliente en Splynx y use «Login as customer».
notice-customer-on-admin-page-title = Esta página es para administradores
notice-customer-on-admin-page-text = No tiene permiso para ver esta página.
notice-foreign-form-title = Este formulario no se envió desde nuestras páginas
notice-foreign-form-text = Por su seguridad, la petición no se ejecutó. Abra la página en el portal e inténtelo de nuevo.
notice-stale-form-title = Este formulario ha caducado
notice-stale-form-text = No se cambió nada. Abra la página otra vez y repita lo que hizo.
notice-someone-elses-title = ¡Factura no válida!
notice-someone-elses-text = Este documento no pertenece a su cuenta.
notice-not-found-title = Página no encontrada
notice-not-found-text = No hay nada en esta dirección.
notice-unknown-invoice-title = ¡Número de factura no válido!
notice-unknown-invoice-text = No hay ninguna factura con este número. Elíjala de la lista del portal.
notice-unknown-proforma-title = ¡Número de factura proforma no válido!
notice-unknown-proforma-text = No hay ninguna factura proforma con este número. Elíjala de la lista del portal.
notice-unknown-payment-title = Pago no encontrado
notice-unknown-payment-text = No hay ningún pago en esta dirección. Sus pagos aparecen en el portal.
notice-method-not-allowed-title = Aquí no se puede hacer esto
notice-method-not-allowed-text = La dirección existe, pero no admite este tipo de petición.
notice-too-slow-title = El formulario tardó demasiado
notice-too-slow-text = No se hizo nada. Compruebe su conexión e inténtelo de nuevo.
notice-paid-title = ¡Factura ya pagada!
notice-paid-text = Este documento está pagado. No queda nada por hacer.
notice-pending-title = Pago en camino
notice-pending-text = Ya se está procesando un pago de este documento. Espere hasta que aparezca como pagado.
notice-deleted-title = ¡Factura eliminada!
notice-deleted-text = Este documento fue eliminado y no se puede pagar.
notice-nothing-due-title = Nada que pagar
notice-nothing-due-text = No hay nada pendiente en este documento.
notice-not-payable-title = Este documento no se puede pagar en línea
notice-not-payable-text = Contacte con su proveedor sobre este documento.
notice-too-large-title = El formulario es demasiado grande
notice-too-large-text = No se hizo nada. Vuelva atrás y acorte lo que introdujo.
notice-wrong-type-title = El formulario tiene un formato incorrecto
notice-wrong-type-text = No se hizo nada. Use el formulario de nuestra página.
notice-too-many-title = Demasiados pagos a la vez
notice-too-many-text = Ha empezado muchos pagos en poco tiempo. Espere un minuto e inténtelo de nuevo.
notice-broken-title = Algo salió mal
notice-broken-text = No pudimos mostrar esta página. Inténtelo de nuevo; si se repite, contacte con su proveedor.
notice-processor-refused-title = No se pudo empezar el pago
notice-processor-refused-text = El servicio de pago no aceptó este pago. No se cobró nada. Contacte con su proveedor.
notice-processor-down-title = El servicio de pago no responde
notice-processor-down-text = No se cobró nada. Inténtelo de nuevo en un minuto.
notice-not-paired-title = Los pagos aún no están configurados
notice-not-paired-text = Los pagos con BitPay no están disponibles en este momento. Elija otra forma de pago o vuelva más tarde.
notice-splynx-down-title = El portal no responde
notice-splynx-down-text = No pudimos conectar con el sistema de facturación. No se cobró nada. Inténtelo de nuevo en un minuto.
notice-store-down-title = No disponible en este momento
notice-store-down-text = En este momento no se pueden leer nuestros datos. Un pago ya hecho no se pierde. Inténtelo de nuevo en un minuto.
